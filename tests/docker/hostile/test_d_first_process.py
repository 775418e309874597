"""Group D: the first process offers itself to be traced and stops; its parent, a part of the engine, must not wait."""

from __future__ import annotations

import platform
import time

import docker
import pytest

from core.domain.verdict import FailureReason
from runner.engine import docker_engine
from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from tests.conftest import service
from tests.docker.conftest import SECCOMP
from tests.docker.hostile.arena import METRICS, Arena
from tests.docker.test_stronger_engines import offers

pytestmark = [
    pytest.mark.docker,
    pytest.mark.alone,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the program knows this machine's call numbers only"),
]

RUNTIMES = ("runc", "runsc")
TRACE_ME = """
import ctypes, errno, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def trace_me():
    answer = libc.syscall(101, 0, 0, 0, 0)
    return "done" if answer == 0 else errno.errorcode[ctypes.get_errno()]
print("CASE first|" + str(os.getpid()), flush=True)
print("CASE traced|" + trace_me(), flush=True)
"""
ENDINGS = {
    "SIGSTOP": (f"{METRICS}os.kill(os.getpid(), signal.SIGSTOP)\n", {None, FailureReason.TIMEOUT}),
    "SIGTRAP": (f"{METRICS}os.kill(os.getpid(), signal.SIGTRAP)\n", {None, FailureReason.EXIT}),
    "children that stop": (
        METRICS
        + "for _ in range(20):\n    if os.fork() == 0:\n"
        + "        trace_me(); os.kill(os.getpid(), signal.SIGSTOP); time.sleep(600)\n",
        {None, FailureReason.EXIT},  # gVisor's kernel may end with a fault of its own, and the run with it
    ),
    "a new program": (
        f"{METRICS}os.execv('/bin/sh', ['sh', '-c', 'kill -STOP $$; kill -TRAP $$'])\n",
        {None, FailureReason.TIMEOUT, FailureReason.EXIT},
    ),
}
"""A first process that handles no signal is not stopped by its own; any other is, until its time is over."""


@pytest.mark.parametrize(
    "how", [f"{init}, {runtime}" for init in ("behind --init", "as PID 1") for runtime in RUNTIMES]
)
def test_a_first_process_that_asks_to_be_traced_hangs_no_engine(
    arena: Arena, inner: docker.DockerClient, image: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """X23: refused or without effect; the engine answers meanwhile, and the job ends in its time."""
    init, runtime = how.split(", ")
    offers("gVisor (runsc)", there=runtime in inner.info()["Runtimes"])
    means = EngineMeans(runtime="runsc" if runtime == "runsc" else EngineMeans().runtime)
    engine = DockerEngine(
        service("LEADERSBOARD_TEST_ENGINE"), site=arena.runner.site, image=image, seccomp=SECCOMP, means=means
    )
    real, usual = docker_engine.job_options, arena.runner.engine
    if init == "as PID 1":
        monkeypatch.setattr(docker_engine, "job_options", lambda *args, **kw: real(*args, **kw) | {"init": False})
    arena.runner.engine = engine
    for name, (program, reasons) in ENDINGS.items():
        ended = arena.run(TRACE_ME + program, timeout_seconds=4)
        found = ended.found()
        assert (found["first"] == "1") == (init == "as PID 1"), found
        assert found["traced"] == "EPERM", found
        assert ended.reason in reasons, (name, ended.reason)
        began = time.monotonic()
        inner.info()
        inner.containers.list()
        assert time.monotonic() - began < 100, f"the engine was slow to answer after {name}"
        arena.held(
            "X23",
            f"PTRACE_TRACEME and {name}, {how}",
            f"EPERM, ended after {ended.seconds:.1f} s",
            "seccomp",
        )
    arena.runner.engine = usual
    engine.close()
