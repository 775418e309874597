"""Images of a site's own in which no submission could run: the canary refuses them with words, on the real engine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from core.domain.canary import CanaryRow
from core.domain.limits import MIB, SMALL
from runner.canary.probe import Canary
from runner.engine import docker_engine
from runner.engine.docker_engine import DockerEngine

pytestmark = pytest.mark.docker

CLASS = SMALL.model_copy(update={"cpus": 1, "memory_bytes": 512 * MIB})
PYTHONS = "/opt/venv/bin/python /usr/local/bin/python /usr/bin/python /bin/python"
BROKEN = "RUN printf '#!/bin/sh\\necho no encodings >&2; exit 1\\n' > /bin/python; chmod 755 /bin/python"
UNUSABLE = {
    "no python": (f"RUN rm -f {PYTHONS}", "start", "python: not found"),
    "python of root alone": ("RUN chmod 0700 /opt/venv/bin /usr/bin/python3*", "start", "ermission denied"),
    "python that does not start": (f"RUN rm -f {PYTHONS}\n{BROKEN}", "start", "exit code 1: no encodings"),
    "python without ssl": (
        "RUN find / -xdev -name 'ssl.py' -path '*/python3*/ssl.py' -delete", "python", "'lacks': ['ssl']",
    ),
    "a volume of its own": ("VOLUME /extra", "mounts", "/extra"),
}  # fmt: skip
HARMLESS = 'RUN chmod 0755 /tmp\nUSER nobody\nWORKDIR /root\nENTRYPOINT ["/bin/false"]\nCMD ["x"]'


@pytest.fixture
def canary(engine: DockerEngine, engine_folder: Path, image: str, fresh_name: str) -> Canary:
    return Canary(
        engine=engine, resource_classes=[CLASS], image=image, site=fresh_name, folder=engine_folder / ".canary"
    )


def red_walls(canary: Canary, image: str) -> dict[str, CanaryRow]:
    """The red rows of the class itself, without those of the limits that its probe runs into."""
    report = replace(canary, image=image)()
    return {row.check: row for row in report.red if row.resource_class == CLASS.name}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_image_that_cannot_work_is_refused_with_words(
    canary: Canary, built: Callable[[str], str], name: str
) -> None:
    lines, check, words = UNUSABLE[name]
    found = red_walls(canary, built(lines))
    assert set(found) == {check}
    assert words in found[check].found


def test_an_image_without_a_shell_is_refused_with_words(
    canary: Canary, inner: docker.DockerClient, fresh_name: str
) -> None:
    """One file and nothing else: as an image by mistake, or one made for a single static program."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tree:
        tree.addfile(tarfile.TarInfo("readme"))
    inner.api.import_image_from_data(packed.getvalue(), repository=fresh_name, tag="trial")
    try:
        found = red_walls(canary, f"{fresh_name}:trial")
    finally:
        inner.images.remove(f"{fresh_name}:trial", force=True)
    assert set(found) == {"start"}
    assert "exec sh failed" in found["start"].found


def test_an_image_that_the_engine_lacks_is_named(canary: Canary) -> None:
    assert "'nobody/has:this'" in red_walls(canary, "nobody/has:this")["probe"].found


def test_what_an_image_says_of_user_folder_and_program_is_of_no_matter(
    canary: Canary, built: Callable[[str], str]
) -> None:
    assert red_walls(canary, built(HARMLESS)) == {}


def tmpfs(**changes: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda options: options | {"tmpfs": options["tmpfs"] | {f"/{path}": how for path, how in changes.items()}}


CANNOT_WORK: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str, str]] = {
    "/tmp of root, as by an old runc": (tmpfs(tmp="rw,exec,mode=0755"), "writable", "'/tmp': 'EACCES'"),
    "/tmp without programs": (tmpfs(tmp="rw,noexec,mode=1777"), "programs", "'/tmp': 'EPERM'"),
    "/dev/shm of root": (lambda options: options | {"tmpfs": options["tmpfs"] | {"/dev/shm": "rw,mode=0755"}},
                         "workers", "PermissionError"),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT_WORK)
def test_what_must_work_is_tried(canary: Canary, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """runc up to 1.1 gives a tmpfs the mode of the folder that it covers, whatever its options say."""
    change, check, words = CANNOT_WORK[name]
    real = docker_engine.job_options
    monkeypatch.setattr(docker_engine, "job_options", lambda *args, **kw: change(real(*args, **kw)))
    assert words in red_walls(canary, canary.image)[check].found
