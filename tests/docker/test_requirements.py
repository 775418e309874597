"""requirements.txt on the real engine: an index of our own, hostile packages, and the real index."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from pip._internal.models.index import PyPI  # pip's own default: no address is written here

from core.domain.limits import MIB, RequirementsLimits
from runner.engine.docker_engine import DockerEngine
from runner.requirements.cache import DependencyCache
from runner.requirements.dependencies import Dependencies
from runner.requirements.image_list import ImageList
from runner.requirements.index import Index
from runner.requirements.installer import Installer
from tests.conftest import REPOSITORY, service
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker

SECCOMP = (REPOSITORY / "seccomp.json").read_text()
SERVER = """
import http.server, time
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if "slow" in self.path:
            time.sleep(60)
        super().do_GET()
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""
LIMITS = RequirementsLimits(installed_bytes=8 * MIB, files=500)


def wheel(folder: Path, name: str, files: dict[str, bytes], *, requires: str = "") -> None:
    """A pure wheel as its author may make it: no tool of ours looks at its names."""
    info = f"{name}-1.0.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_hash(content)},{len(content)}" for path, content in files.items()]
    target = folder / "simple" / name
    target.mkdir(parents=True)
    with zipfile.ZipFile(target / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]))
    (target / "index.html").write_text(f'<a href="{name}-1.0-py3-none-any.whl">{name}-1.0-py3-none-any.whl</a>')


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def source_only(folder: Path) -> None:
    target = folder / "simple" / "sourceonly"
    target.mkdir(parents=True)
    shutil.make_archive(str(target / "sourceonly-1.0"), "gztar", folder, "simple")
    (target / "index.html").write_text('<a href="sourceonly-1.0.tar.gz">sourceonly-1.0.tar.gz</a>')


@pytest.fixture
def index(inner: docker.DockerClient, engine_folder: Path, image: str, fresh_name: str) -> Iterator[tuple[Index, Path]]:
    """A package index in a container of the inner engine, and the folder that it serves."""
    folder = engine_folder / "index"
    folder.mkdir()
    server = inner.containers.run(
        image, ["python", "-c", SERVER], detach=True, name=f"index-{fresh_name}", network="bridge",
        working_dir="/index", volumes={str(folder): {"bind": "/index", "mode": "ro"}}, init=True,
    )  # fmt: skip
    host = address(server)
    yield Index(urls=(f"http://{host}:8000/simple",), trusted_host=host), folder
    server.remove(force=True)


def address(server: Container) -> str:
    server.reload()
    return str(server.attrs["NetworkSettings"]["IPAddress"])


@pytest.fixture
def installing(runner: TwinRunner[DockerEngine], index: tuple[Index, Path]) -> Iterator[TwinRunner[DockerEngine]]:
    """A runner that installs from that index, within small limits."""
    yield from _installing(runner, index[0], LIMITS)


def _installing(
    runner: TwinRunner[DockerEngine], index: Index, limits: RequirementsLimits
) -> Iterator[TwinRunner[DockerEngine]]:
    installer = Installer.on(service("LEADERSBOARD_TEST_ENGINE"), seccomp=SECCOMP, index=index, limits=limits)
    cache = DependencyCache(job_root=runner.root / "jobs", kept_bytes=10**9)
    runner.limits = runner.limits.model_copy(update={"requirements": True})
    images = ImageList(client=installer.client, seccomp=SECCOMP, site=runner.site)
    runner.dependencies = Dependencies(installer=installer, cache=cache, packages_of=images.of)
    yield runner
    installer.close()


def assert_no_network_left(inner: docker.DockerClient, runner: TwinRunner[DockerEngine]) -> None:
    assert inner.networks.list(filters={"label": f"leadersboard.site={runner.site}"}) == []


def test_wheels_are_installed_recorded_kept_and_read_only(
    installing: TwinRunner[DockerEngine], index: tuple[Index, Path], inner: docker.DockerClient
) -> None:
    """BOX-7: the run imports them without a network, cannot change them, and the next run needs no index.

    A wheel may shadow any module and bring a .pth file: both matter to its own run alone, and the .pth is not executed.
    """
    files = {
        "greeting.py": b"WORD = 'bonjour'",
        "torch/__init__.py": b"shadow = True",
        "evil.pth": b"import os; os.abort()",
    }
    wheel(index[1], "greeting", files, requires="numpy")
    program = """
import errno, greeting, torch, numpy, socket
print(greeting.WORD, torch.shadow, numpy.__file__.startswith("/opt/venv"), socket.if_nameindex())
for path in ("/deps/x", greeting.__file__):
    try:
        open(path, "w")
    except OSError as error:
        print("refused", errno.errorcode[error.errno])
"""
    job = installing.run(installing.claim(program + GOOD, requirements="Greeting >= 1\n"))
    log = installing.log_of(job)
    assert job.state == "completed", log
    assert "bonjour True True [(1, 'lo')]" in log
    assert log.count("refused EROFS") == 2
    sha256 = hashlib.sha256((index[1] / "simple/greeting/greeting-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert f"greeting==1.0 sha256:{sha256}" in log
    shutil.rmtree(index[1] / "simple")
    again = installing.run(installing.claim(program + GOOD, requirements="greeting>=1\n"))
    assert again.state == "completed"
    assert "Installing" not in installing.log_of(again)
    assert_no_network_left(inner, installing)


def bad_packages(folder: Path, other: str) -> None:
    source_only(folder)
    wheel(folder, "outside", {"../../../evil.py": b"x"})
    wheel(folder, "outdata", {"outdata-1.0.data/data/../../../evil": b"x"})
    wheel(folder, "huge", {"huge.bin": b"\0" * (9 * MIB)})
    wheel(folder, "enormous", {"huge.bin": b"\0" * (40 * MIB)})
    wheel(folder, "many", {f"many/{n}.py": b"" for n in range(600)})
    wheel(
        folder, "caller", {"caller.py": b""}, requires=f"elsewhere @ http://{other}:8001/elsewhere-1.0-py3-none-any.whl"
    )


def test_hostile_packages_fail_the_job_and_leave_nothing(
    installing: TwinRunner[DockerEngine],
    index: tuple[Index, Path],
    inner: docker.DockerClient,
    image: str,
    fresh_name: str,
) -> None:
    """No source is built, no file lands outside, sizes and counts hold, and no other address is reached."""
    listener = inner.containers.run(
        image, ["python", "-u", "-m", "http.server", "8001"], detach=True, name=f"other-{fresh_name}", network="bridge",
        working_dir="/tmp", init=True,
    )  # fmt: skip
    try:
        bad_packages(index[1], address(listener))
        for name, words in (
            ("sourceonly", "No matching distribution"),
            ("outside", ""),
            ("outdata", ""),
            ("huge", "more than 8388608 bytes"),
            ("enormous", "8 MiB"),
            ("many", "500 entries"),
            ("caller", "403"),
        ):
            job = installing.run(installing.claim(GOOD, requirements=name))
            log = installing.log_of(job) + (job.error_message or "")
            assert (job.state, job.failure_reason) == ("failed", "requirements"), log
            assert words.lower() in log.lower(), log
            assert index[0].trusted_host not in log
        assert "GET" not in listener.logs().decode()
    finally:
        listener.remove(force=True)
    kept = installing.root / "jobs" / ".dependencies"
    assert not [path for path in kept.iterdir() if path.name != ".lock"]
    assert_no_network_left(inner, installing)


@pytest.mark.parametrize(
    "line",
    ["no-such-package", r"greeting; python_version > '3" + "A" * 330 + r"\x24{PIP_INDEX_URL}\n'", "greeting>=9999"],
    ids=["unknown", "a variable behind an escape", "a version that is not there"],
)
def test_an_index_with_a_password_is_shown_to_nobody(
    runner: TwinRunner[DockerEngine], index: tuple[Index, Path], line: str
) -> None:
    """Neither address nor password is in the log, in the job's message, or in what admins read of failed steps."""
    wheel(index[1], "greeting", {"greeting.py": b""})
    url = index[0].urls[0].replace("://", "://robot:s3cr%40t-w0rd@")
    (installing,) = _installing(runner, replace(index[0], urls=(url,)), LIMITS)
    job = installing.run(installing.claim(GOOD, requirements=line + "\n"))
    told = installing.log_of(job) + (job.error_message or "") + str(installing.dead_letters.page())
    assert (job.state, job.failure_reason) == ("failed", "requirements"), told
    assert not [secret for secret in ("s3cr", "w0rd", "robot:", index[0].trusted_host) if secret in told], told


def test_an_index_that_does_not_answer_ends_in_time(
    runner: TwinRunner[DockerEngine], index: tuple[Index, Path], inner: docker.DockerClient
) -> None:
    """The limit is the runner's own; nothing of the attempt stays."""
    limits = LIMITS.model_copy(update={"seconds": 3.0})
    (slow,) = _installing(runner, index[0], limits)
    started = time.monotonic()
    job = slow.run(slow.claim(GOOD, requirements="slow"))
    assert "longer than 3 s" in (job.error_message or "")
    assert time.monotonic() - started < 240
    assert_no_network_left(inner, slow)


def site_index() -> Index:
    """As this machine's pip is set up."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    url = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip() or PyPI.simple_url
    bundle = Path(os.environ.get("PIP_CERT") or "/etc/ssl/certs/ca-certificates.crt")
    hosts = (PyPI.file_storage_domain,) if url == PyPI.simple_url else ()
    return Index(urls=(url,), more_hosts=hosts, ca=bundle if bundle.is_file() else None)


def test_a_package_of_the_sites_own_index_is_installed(runner: TwinRunner[DockerEngine]) -> None:
    """The whole way with the index from which scripts/setup has built the images."""
    (real,) = _installing(runner, replace(site_index()), RequirementsLimits())
    job = real.run(real.claim("import humanize; print(humanize.intcomma(12345))" + GOOD, requirements="humanize"))
    assert "12,345" in real.log_of(job), real.log_of(job)
