"""What the engine says of a running sandbox, and what a program inside finds: BOX-1 to BOX-6 on the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import docker
import pytest

from core.domain.limits import GIB, MIB, GpuPolicy
from core.ports.sandbox import SandboxSpec
from runner.canary import checks
from runner.canary.probe import Printed
from runner.engine.docker_engine import DockerEngine
from tests.conftest import REPOSITORY
from tests.sandbox_requirements import violations
from tests.twin_runner import TwinRunner, when

pytestmark = pytest.mark.docker

WAITER = "import time; print('begun', flush=True); time.sleep(60)"
PROBE = r"""
import json, os, pathlib, resource, socket, sys

def attempt(action):
    try:
        action()
    except OSError as error:
        return error.errno
    return 0

status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
OWN = ("/job", "/submission", "/config", "/data", "/out", "/tmp", "/dev/shm")
mounts = [line.split() for line in open("/proc/self/mounts")]
found = {
    "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
    "seccomp": status["Seccomp"], "no_new_privs": status["NoNewPrivs"],
    "capabilities": [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "interfaces": [name for _, name in socket.if_nameindex()],
    "write_root": attempt(lambda: open("/probe", "w")),
    "write_submission": attempt(lambda: open("/submission/probe", "w")),
    "write_job": attempt(lambda: open("/job/probe", "w")),
    "write_config": attempt(lambda: open("/config/probe", "w")),
    "write_data": attempt(lambda: open("/data/probe", "w")),
    "write_out": attempt(lambda: open("/out/probe", "w")),
    "write_tmp": attempt(lambda: open("/tmp/probe", "w")),
    "connect": attempt(lambda: socket.create_connection(("192.0.2.1", 80), 2)),
    "packet_socket": attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "environment": sorted(os.environ),
    "cwd": os.getcwd(), "host": socket.gethostname(), "argv": sys.argv, "init": open("/proc/1/comm").read().strip(),
    "stdin": os.readlink("/proc/self/fd/0"),
    "sockets": [str(path) for root in ("/run", "/var/run") for path in pathlib.Path(root).glob("**/*.sock")],
    "own_mounts": sorted(m[1] for m in mounts if m[1] in OWN),
    "disk_mounts": sorted(m[1] for m in mounts if m[0].startswith("/dev/") and not m[1].startswith("/etc/")),
    "file_size_limit": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
    "shm": os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize,
    "out": os.statvfs("/out").f_blocks * os.statvfs("/out").f_frsize,
    "out_files": os.statvfs("/out").f_files,
}
print("PROBE " + json.dumps(found))
"""
EPERM, EROFS, ENETUNREACH = 1, 30, 101


@contextmanager
def running(runner: TwinRunner[DockerEngine], inner: docker.DockerClient) -> Iterator[dict[str, Any]]:
    """What `docker inspect` says in the inner engine while a job runs; afterwards the job is cancelled."""
    claim = runner.claim(WAITER)
    seen: list[dict[str, Any]] = []

    def look() -> None:
        seen.append(inner.api.inspect_container(f"job-{claim.job_id}-1-{claim.token[:8]}"))
        runner.ledger.cancel(claim.job_id)

    looker = when(lambda: "begun" in runner.storage.read_log(claim.job_id).text, look)
    runner.run(claim)
    looker.join()
    yield seen[0]


def test_inspect_shows_every_wall_of_a_running_job(
    runner: TwinRunner[DockerEngine], inner: docker.DockerClient
) -> None:
    """BOX-2 to BOX-4: exactly these options are in force, and no mount but the intended ones."""
    with running(runner, inner) as seen:
        host = seen["HostConfig"]
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"] is True
        user = int(seen["Config"]["User"].partition(":")[0])
        assert (user in checks.UIDS, seen["Config"]["User"]) == (True, f"{user}:{user}")
        assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False)
        profile = next(option for option in host["SecurityOpt"] if option.startswith("seccomp="))
        assert json.loads(profile.removeprefix("seccomp=")) == json.loads((REPOSITORY / "seccomp.json").read_text())
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["Memory"] == host["MemorySwap"] == 4 * GIB
        assert (host["PidsLimit"], host["NanoCpus"], host["Init"]) == (512, 2 * 10**9, True)
        assert (host["IpcMode"], host["CgroupnsMode"], host["PidMode"]) == ("private", "private", "")
        assert not any(host[name] for name in ("Devices", "DeviceRequests", "Binds"))
        assert seen["Config"]["OpenStdin"] is False
        mounts = {mount["Destination"]: (mount["Type"], mount["RW"]) for mount in seen["Mounts"]}
        assert mounts == {
            "/submission": ("bind", False), "/config": ("bind", False), "/data": ("bind", False),
            "/out": ("volume", True),
        }  # fmt: skip
        assert not any("docker.sock" in str(mount) for mount in seen["Mounts"])
        assert seen["Config"]["Labels"]["leadersboard.user"] == "ann"


def test_a_running_job_passes_the_benchmark_for_containers(
    runner: TwinRunner[DockerEngine], inner: docker.DockerClient
) -> None:
    """CIS and sandbox.md as far as a container shows them: what the engine made of the options, not what was asked."""
    runner.limits = runner.limits.model_copy(update={"gpus": GpuPolicy.NONE})
    with running(runner, inner) as seen:
        assert violations(seen, runner.limits) == []
        assert set(seen["HostConfig"]["MaskedPaths"]) >= {
            "/proc/kcore",
            "/proc/keys",
            "/proc/timer_list",
            "/sys/firmware",
        }
        assert set(seen["HostConfig"]["ReadonlyPaths"]) >= {
            "/proc/sys",
            "/proc/sysrq-trigger",
            "/proc/irq",
            "/proc/bus",
        }


def test_two_runs_at_once_are_two_users(runner: TwinRunner[DockerEngine], engine: DockerEngine) -> None:
    """Inotify watches and the like are counted per user id, whatever container they are in: nobody shares one."""
    claim = runner.claim(WAITER)
    files = runner.storage.submission_files(claim.job.submission_id)
    specs = [
        SandboxSpec(
            site=runner.site, job_id=f"{number}" * 32, attempt=1, claim="c1", user_id="ann", entrypoint="main.py",
            config_file="config.yaml", limits=runner.limits, image=runner.image, config=files, submission=files,
        )
        for number in range(3)
    ]  # fmt: skip
    launched = [engine.launch(spec, Printed()) for spec in specs]
    try:
        slots = {sandbox._volume.slot for sandbox in launched}
    finally:
        for sandbox in launched:
            sandbox.remove()
    assert len(slots) == len(specs)


def test_a_program_inside_finds_the_same_walls(runner: TwinRunner[DockerEngine]) -> None:
    """The options are not only asked for: from inside there is nothing else."""
    log = runner.log_of(runner.run(runner.claim(PROBE)))
    found = json.loads(next(line for line in log.splitlines() if line.startswith("PROBE "))[6:])
    assert found["uid"] in checks.UIDS
    assert (found["gid"], found["groups"]) == (found["uid"], [found["uid"]])
    assert (found["seccomp"], found["no_new_privs"]) == ("2", "1")
    assert set(found["capabilities"]) == {"0000000000000000"}
    assert found["interfaces"] == ["lo"]
    assert {found[f"write_{name}"] for name in ("root", "submission", "config", "data")} == {EROFS}
    assert (found["write_job"], found["write_out"], found["write_tmp"]) == (0, 0, 0)
    assert (found["connect"], found["packet_socket"]) == (ENETUNREACH, EPERM)
    assert (found["cwd"], found["host"], found["stdin"], found["sockets"]) == ("/job", "job", "/dev/null", [])
    assert found["argv"] == ["main.py", "--config", "config.yaml", "--output", "/out"]
    assert found["own_mounts"] == ["/config", "/data", "/dev/shm", "/job", "/out", "/submission", "/tmp"]
    assert found["disk_mounts"] == ["/config", "/data", "/submission"]
    assert (found["file_size_limit"], found["out"], found["shm"]) == (512 * MIB, 512 * MIB, GIB)
    assert found["out_files"] == 20_000
    assert "API_TOKENS" not in found["environment"]
    assert found["init"] in {"docker-init", "tini"}


def test_the_gpu_of_a_job_is_requested_from_the_engine(
    runner: TwinRunner[DockerEngine], inner: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-5: `--gpus` with one device by its id. Here the engine's hook is a stub, so nothing real is passed on."""
    monkeypatch.setattr(runner.engine, "gpu_memory", lambda: {"GPU-00000000-1111-2222-3333-444444444444": 0})
    with running(runner, inner) as seen:
        (request,) = seen["HostConfig"]["DeviceRequests"]
        assert request["DeviceIDs"] == ["GPU-00000000-1111-2222-3333-444444444444"]
        assert request["Capabilities"] == [["gpu"]]
        assert seen["Config"]["Labels"]["leadersboard.gpu"] == "GPU-00000000-1111-2222-3333-444444444444"


def test_an_engine_without_a_gpu_has_none_to_give(runner: TwinRunner[DockerEngine]) -> None:
    """The inventory is what nvidia-smi says inside the engine: without one the answer is empty, not an error."""
    assert runner.engine.gpu_memory() == {}


def test_a_class_without_gpu_requests_none(runner: TwinRunner[DockerEngine], inner: docker.DockerClient) -> None:
    """A CPU class leaves the devices to others."""
    runner.limits = runner.limits.model_copy(update={"gpus": GpuPolicy.NONE})
    with running(runner, inner) as seen:
        assert not seen["HostConfig"]["DeviceRequests"]


def test_an_image_that_the_engine_lacks_is_the_platforms_fault(runner: TwinRunner[DockerEngine]) -> None:
    """Nothing is pulled at run time; the log says what happened and nothing is left behind."""
    runner.image = "no-such-image"
    claim = runner.claim(WAITER)
    job = runner.run(claim)
    assert (job.state, job.attempt) == ("pending", 1)
    assert "platform failed" in runner.log_of(replace(job))
