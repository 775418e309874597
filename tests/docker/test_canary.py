"""The canary on the real engine: green as things are, red in the right row when a wall is taken down (BOX-12)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from core.domain.canary import CanaryReport
from core.domain.limits import MIB, SMALL
from runner.canary import probe as probing
from runner.canary.printed import Printed
from runner.canary.probe import Canary
from runner.engine import docker_engine
from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from runner.engine.output import volume as output_volume
from tests.conftest import REPOSITORY, service
from tests.docker.conftest import SECCOMP
from tests.docker.runner_site import Site, until
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

Options = dict[str, Any]
CLASS = SMALL.model_copy(update={"cpus": 1, "memory_bytes": 512 * MIB})
ALLOW_ALL = json.dumps({"defaultAction": "SCMP_ACT_ALLOW"})


@pytest.fixture
def canary(
    engine: DockerEngine, engine_folder: Path, image: str, fresh_name: str, inner: docker.DockerClient
) -> Iterator[Canary]:
    yield Canary(
        engine=engine, resource_classes=[CLASS], image=image, site=fresh_name, folder=engine_folder / ".canary"
    )
    mine = {"label": f"leadersboard.site={fresh_name}"}
    assert not [
        *inner.containers.list(all=True, filters=mine, ignore_removed=True),
        *inner.volumes.list(filters=mine),
    ], "something is left"


def red(report: CanaryReport) -> set[str]:
    return {row.check for row in report.red}


def test_all_walls_hold_here(canary: Canary) -> None:
    """Every wall of a class with its exact options, and every limit by running into it; nothing is left behind."""
    report = canary()
    assert report.ok, report.refusal
    assert report.seconds < 400


def without(name: str) -> Callable[[Options], Options]:
    return lambda options: {key: value for key, value in options.items() if key != name}


def instead(**changes: Any) -> Callable[[Options], Options]:
    return lambda options: options | changes


def unlimited(name: str) -> Callable[[Options], Options]:
    return lambda options: options | {"ulimits": [item for item in options["ulimits"] if item["Name"] != name]}


def writable(options: Options) -> Options:
    for mount in options["mounts"]:
        mount["ReadOnly"] = False
    return options


def more_mounted(options: Options) -> Options:
    (job,) = [mount for mount in options["mounts"] if mount["Target"] == "/submission"]
    return options | {"mounts": [*options["mounts"], job | {"Target": "/shared"}]}


def secured(*kept: str) -> Callable[[Options], Options]:
    return lambda options: options | {"security_opt": list(kept)}


TAKEN_DOWN: dict[str, tuple[Callable[[Options], Options], str]] = {
    "network_mode": (without("network_mode"), "network"),
    "read_only": (without("read_only"), "read-only"),
    "user": (instead(user="0:0", cap_drop=[]), "user"),
    "user, of no rights to /job": (instead(user="0:0"), "start"),
    "cap_drop": (instead(cap_drop=[], cap_add=["NET_RAW"], user="0:0"), "capabilities"),
    "seccomp": (secured("no-new-privileges:true", f"seccomp={ALLOW_ALL}"), "system calls"),
    "seccomp, the engine's own": (secured("no-new-privileges:true"), "system calls"),
    "no-new-privileges": (secured(f"seccomp={ALLOW_ALL}"), "filter"),
    "privileged": (instead(privileged=True, security_opt=[]), "devices"),
    "init": (without("init"), "neighbours"),
    "hostname": (without("hostname"), "identity"),
    "stdin": (instead(stdin_open=True), "identity"),
    "pid namespace": (instead(pid_mode="host"), "neighbours"),
    "mem_limit": (lambda found: without("mem_limit")(without("memswap_limit")(found)), "cgroup"),
    "memswap_limit": (without("memswap_limit"), "cgroup"),
    "nano_cpus": (without("nano_cpus"), "cgroup"),
    "pids_limit": (without("pids_limit"), "cgroup"),
    "shm_size": (without("shm_size"), "sizes"),
    "tmpfs": (instead(tmpfs={"/tmp": "rw,nosuid,nodev,mode=1777", "/job": "rw,mode=1777"}), "sizes"),
    "fsize": (unlimited("fsize"), "ulimits"),
    "nofile": (unlimited("nofile"), "ulimits"),
    "oom_score_adj": (without("oom_score_adj"), "oom score"),
    "mounts, writable": (writable, "read-only"),
    "mounts, one more": (more_mounted, "mounts"),
    "environment": (lambda found: found | {"environment": found["environment"] | {"API_TOKENS": "x"}}, "environment"),
}


@pytest.fixture
def walls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walls of a class are looked at, and no limit is run into: a second instead of three."""
    monkeypatch.setattr(Canary, "_run_into_limits", lambda _self, _limits: {})


@pytest.mark.usefixtures("walls_alone")
@pytest.mark.parametrize("wall", TAKEN_DOWN)
def test_a_wall_taken_down_is_seen(canary: Canary, monkeypatch: pytest.MonkeyPatch, wall: str) -> None:
    """The same options but for one: its row is red, and no job would be begun."""
    take_down, check = TAKEN_DOWN[wall]
    real = docker_engine.job_options
    monkeypatch.setattr(docker_engine, "job_options", lambda *args, **kw: take_down(real(*args, **kw)))
    report = canary()
    assert check in {row.check for row in report.red if row.resource_class == "small"}, report.rows
    assert report.refusal


@pytest.mark.usefixtures("walls_alone")
def test_without_no_new_privileges_nothing_starts(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails closed: our list lacks what the engine would need then. So no job is begun either."""
    real = docker_engine.job_options
    alone = secured(f"seccomp={SECCOMP}")
    monkeypatch.setattr(docker_engine, "job_options", lambda *args, **kw: alone(real(*args, **kw)))
    assert {row.check for row in canary().red if row.resource_class == "small"} == {"probe"}


def test_limits_that_are_not_there_are_seen_by_trying(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    """BOX-12: not what the engine says, but where the probe is stopped."""
    gone = ("mem_limit", "memswap_limit", "nano_cpus", "pids_limit", "ulimits", "tmpfs", "shm_size")
    real = docker_engine.job_options
    monkeypatch.setattr(
        docker_engine,
        "job_options",
        lambda *args, **kw: {
            key: value for key, value in real(*args, **kw).items() if key not in gone
        } | {"tmpfs": {"/tmp": "rw", "/job": "rw,mode=1777"}},
    )  # fmt: skip
    volume = output_volume.volume_options
    monkeypatch.setattr(
        output_volume,
        "volume_options",
        lambda limits, slot: volume(limits.model_copy(update={"output_bytes": 2**30, "output_files": 10**5}), slot),
    )
    tried = red(canary())
    assert {"cpu", "memory", "processes", "threads", "largest file", "descriptors"} <= tried
    assert {"bytes in /out", "bytes in /tmp", "bytes in /job", "bytes in /dev/shm", "files in /out"} <= tried


def test_a_refused_runner_begins_no_job_and_says_why(site: Site, tmp_path: Path) -> None:
    """A real process whose list of system calls is open: the job waits, and its report names the row."""
    (tmp_path / "open.json").write_text(ALLOW_ALL)
    job_id = site.post(GOOD)
    with site.runner(SECCOMP_PROFILE=str(tmp_path / "open.json")):
        until(lambda: "wall does not hold" in site.words(), "the canary is red")
        time.sleep(1)
        assert site.ledger.get(job_id).state == "pending"
        assert "system calls" in site.words()
    with site.runner():
        until(lambda: site.ledger.get(job_id).is_final, "a sound runner runs it")
    assert site.ledger.get(job_id).state == "completed"


def test_what_a_dead_probe_left_is_removed_and_a_living_one_is_not(
    canary: Canary, engine: DockerEngine, inner: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-10: by age, which its name tells; neither counts as a job, nor takes part in sweeping."""
    canary._prepare()
    specs = [canary._spec("walls", CLASS) for _ in range(2)]
    monkeypatch.setattr(probing.time, "time", lambda: 1_000_000_000.0)
    old = canary._spec("walls", CLASS)
    monkeypatch.undo()
    for spec in (specs[0], old):
        engine.launch(spec, Printed())
    assert engine.runs() == set()
    assert engine.remove_canaries(before=time.time() - 600) >= 3  # container, holder, volume
    living = {
        label
        for box in inner.containers.list(all=True, ignore_removed=True)
        if (label := box.labels.get("leadersboard.canary"))
    }
    assert specs[0].job_id in living
    assert old.job_id not in living
    engine._remove(f"leadersboard.canary={specs[0].job_id}")


def test_the_command_prints_every_row_and_its_exit_code_says_all(
    engine_folder: Path, image: str, tmp_path: Path
) -> None:
    """`scripts/canary`: 0 when all walls hold, 1 when one does not."""
    (tmp_path / "open.json").write_text(ALLOW_ALL)
    settings = {"ENGINE_SOCKET": service("LEADERSBOARD_TEST_ENGINE"), "SANDBOX_IMAGE": image,
                "JOB_ROOT": str(engine_folder),
                "RESOURCE_CLASSES": json.dumps([CLASS.model_dump(mode="json")])}  # fmt: skip
    command = [sys.executable, "-m", "runner.canary.command"]
    good = subprocess.run(command, cwd=REPOSITORY, env=settings, capture_output=True, text=True, check=False)
    assert (good.returncode, "All walls hold." in good.stdout) == (0, True), good.stdout + good.stderr
    bad = subprocess.run(
        command, cwd=REPOSITORY, env=settings | {"SECCOMP_PROFILE": str(tmp_path / "open.json")}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (bad.returncode, "RED  small: system calls" in bad.stdout) == (1, True), bad.stdout


def test_gvisor_is_probed_with_its_own_options(
    engine_folder: Path, image: str, fresh_name: str, inner: docker.DockerClient
) -> None:
    """BOX-8: what its version does not bind is named; limits that it ignores would refuse it."""
    if "runsc" not in inner.info()["Runtimes"]:
        pytest.skip("the engine has no gVisor (runsc): scripts/setup builds one that does")
    means = EngineMeans(runtime="runsc")
    engine = DockerEngine(
        service("LEADERSBOARD_TEST_ENGINE"), site=fresh_name, image=image, seccomp=SECCOMP, means=means
    )
    probe = Canary(
        engine=engine, resource_classes=[CLASS], image=image, site=fresh_name, folder=engine_folder / ".canary",
        runtime="runsc",
    )  # fmt: skip
    report = probe()
    engine.close()
    assert report.ok, [str(row) for row in report.red]
    unbounded = [row.check for row in report.rows if "not bounded by gVisor" in row.expected]
    assert set(unbounded) == {"sizes", "threads"}
