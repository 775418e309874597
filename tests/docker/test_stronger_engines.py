"""What an engine may offer beyond the default: devices by CDI (BOX-5) and gVisor (BOX-8), on the real engine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from errno import EACCES, EFBIG, ENOSPC, EPERM, EROFS

import docker
import pytest

from core.domain.limits import GIB, MIB, GpuPolicy
from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from tests.conftest import REPOSITORY, service
from tests.docker.made_up_devices import GPU
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker

SECCOMP = (REPOSITORY / "seccomp.json").read_text()
DEVICES = """
import os
found = sorted(name for name in os.listdir("/dev") if name.startswith("nvidia"))
print("DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES"), found)
"""
PROBE = r"""
import json, os, socket, threading

def errno_of(action):
    try:
        action()
    except OSError as error:
        return error.errno
    return 0

def fill(path):
    with open(path, "wb", buffering=0) as file:
        for _ in range(2000):
            file.write(b"x" * (1 << 20))

def threads():
    started = [threading.Thread(target=print) for _ in range(20)]
    for one in started:
        one.start()
    for one in started:
        one.join()

found = {
    "kernel": open("/proc/version").read().split()[2],
    "uid": os.getuid(),
    "capabilities": [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")],
    "interfaces": [name for _, name in socket.if_nameindex()],
    "connect": errno_of(lambda: socket.create_connection(("192.0.2.1", 80), 2)),
    "write": [errno_of(lambda: open(path, "w")) for path in ("/x", "/submission/x", "/config/x", "/data/x", "/out/x")],
    "mount": errno_of(lambda: os.chroot("/tmp")),
    "fsize": errno_of(lambda: os.truncate(open("/out/sparse", "w").name, 1 << 40)),
    "out_full": errno_of(lambda: fill("/out/a") or fill("/out/b")),
    "threads": errno_of(threads),
}
os.unlink("/out/a")
print("PROBE " + json.dumps(found))
"""


def offers(name: str, *, there: bool) -> None:
    """In CI the engine of this repository must have it; elsewhere a test says why it did not run."""
    if not there and os.environ.get("CI"):
        pytest.fail(f"the engine has no {name}")
    if not there:
        pytest.skip(f"the engine has no {name}: scripts/setup builds one that does")


def on(runner: TwinRunner[DockerEngine], means: EngineMeans) -> Iterator[TwinRunner[DockerEngine]]:
    engine = DockerEngine(
        service("LEADERSBOARD_TEST_ENGINE"), site=runner.site, image=runner.image, seccomp=SECCOMP, means=means
    )
    runner.engine = engine
    yield runner
    engine.close()


@pytest.fixture
def cdi(runner: TwinRunner[DockerEngine], inner: docker.DockerClient) -> Iterator[TwinRunner[DockerEngine]]:
    offers("CDI", there=bool(inner.info().get("CDISpecDirs")))
    yield from on(runner, EngineMeans(gpu_access="cdi"))


@pytest.fixture
def gvisor(runner: TwinRunner[DockerEngine], inner: docker.DockerClient) -> Iterator[TwinRunner[DockerEngine]]:
    offers("gVisor (runsc)", there="runsc" in inner.info()["Runtimes"])
    yield from on(runner, EngineMeans(runtime="runsc"))


def test_a_device_is_given_by_cdi(cdi: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch) -> None:
    """BOX-5: the run finds the one device of its specification, harmless here, and nothing in its way to it."""
    monkeypatch.setattr(cdi.engine, "gpu_memory", lambda: {GPU: 0})
    job = cdi.run(cdi.claim(DEVICES + GOOD))
    assert "DEVICES None ['nvidia0']" in cdi.log_of(job)
    assert job.device == f"gpu {GPU}"


def test_the_memory_of_its_device_is_among_a_runs_peaks(
    cdi: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-9: as the engine tells it while the run has the device; here 3 GiB whenever somebody has."""
    engine = cdi.engine
    monkeypatch.setattr(engine, "gpu_memory", lambda: {GPU: 3 * GIB if engine.gpus_in_use() else 0})
    job = cdi.run(cdi.claim("import time; time.sleep(3)\n" + GOOD))
    assert (job.state, job.peaks["gpu_memory_bytes"]) == ("completed", 3 * GIB)
    _ref, result = cdi.tracking.results[job.job_id]
    assert result.measured["gpu_memory_bytes"] == 3 * GIB


def test_a_run_without_a_device_finds_none(cdi: TwinRunner[DockerEngine]) -> None:
    """An empty CUDA_VISIBLE_DEVICES hides what a mistake in the engine's set-up might show."""
    cdi.limits = cdi.limits.model_copy(update={"gpus": GpuPolicy.NONE})
    assert "DEVICES  []" in cdi.log_of(cdi.run(cdi.claim(DEVICES + GOOD)))


def test_a_run_under_gvisor_is_a_run(gvisor: TwinRunner[DockerEngine]) -> None:
    """BOX-8: the same way from claim to result; no system call of it reaches our kernel directly."""
    job = gvisor.run(gvisor.claim("print(open('/proc/version').read())" + GOOD))
    log = gvisor.log_of(job)
    assert job.state == "completed", log
    assert os.uname().release not in log


def test_gvisor_ends_a_run_that_takes_too_much_memory(gvisor: TwinRunner[DockerEngine]) -> None:
    """A runsc that was registered without control groups would let it pass."""
    gvisor.limits = gvisor.limits.model_copy(update={"memory_bytes": 256 * MIB, "tmp_bytes": MIB, "shm_bytes": MIB})
    job = gvisor.run(gvisor.claim("held = []\nfor _ in range(60):\n    held.append(b'x' * (10 << 20))" + GOOD))
    assert job.failure_reason == "out_of_memory"


def test_gvisor_holds_what_the_options_promise(gvisor: TwinRunner[DockerEngine]) -> None:
    """Network, root file system, user, capabilities, sizes. What its version does not hold is in docs/gvisor.md."""
    log = gvisor.log_of(gvisor.run(gvisor.claim(PROBE)))
    assert "PROBE " in log, log
    found = json.loads(next(line for line in log.splitlines() if line.startswith("PROBE "))[6:])
    assert (found["uid"] > 60_000, found["capabilities"], found["interfaces"]) == (True, ["0" * 16], ["lo"])
    assert found["connect"] != 0
    assert set(found["write"][:4]) <= {EACCES, EROFS}
    assert found["write"][4] == 0
    assert (found["mount"], found["threads"]) == (EPERM, 0)
    assert found["fsize"] == EFBIG
    assert found["out_full"] in {EFBIG, ENOSPC}
