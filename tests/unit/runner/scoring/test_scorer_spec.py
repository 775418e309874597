"""The options of a scorer's container: each wall by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.limits import MIB, SMALL, ScoringLimits
from core.ports.scorer import ScorerSpec
from runner.engine.container_spec import SLOTS, USER_BASE
from runner.requirements.installer_spec import UID as INSTALLER
from runner.scoring.scorer_spec import UID, scorer_name, scorer_options
from tests.unit.runner.engine.test_container_spec import spec_of

pytestmark = pytest.mark.unit

LIMITS = ScoringLimits(memory_bytes=100 * MIB, cpus=1.5, pids=9, tmp_bytes=2 * MIB)
SPEC = ScorerSpec(
    run=replace(spec_of(SMALL, "GPU-1"), gpu=None, process="p1"), image="ours", program=Path("/shared/jobs/0/scorer"),
    predictions=Path("/shared/jobs/0/artifacts.1/predictions"), labels=Path("/shared/labels/dots"),
)  # fmt: skip


def options(spec: ScorerSpec = SPEC, **more: Any) -> dict[str, Any]:
    return scorer_options(spec, LIMITS, image_id="sha256:image", seccomp="<seccomp>", **more)


def test_a_scorer_has_no_way_out_and_no_right() -> None:
    found = options()
    assert (found["network_mode"], found["read_only"], found["cap_drop"]) == ("none", True, ["ALL"])
    assert found["security_opt"] == ["no-new-privileges:true", "seccomp=<seccomp>"]
    assert (found["ipc_mode"], found["cgroupns"], found["user"]) == ("private", "private", "59002:59002")
    assert not {"privileged", "cap_add", "devices", "device_requests", "pid_mode", "runtime"} & set(found)
    assert options(runtime="runsc")["runtime"] == "runsc"


def test_its_user_is_no_runs_and_no_installers() -> None:
    """The kernel counts some things per user id."""
    assert UID not in {USER_BASE + slot for slot in SLOTS} | {INSTALLER}


def test_what_it_sees_it_cannot_write() -> None:
    """Predictions, labels and the program; of the run nothing else: no submission, no config, no data."""
    mounts = {one["Target"]: (one["Source"], one["ReadOnly"]) for one in options()["mounts"]}
    assert mounts == {
        "/program": (str(SPEC.program), True), "/predictions": (str(SPEC.predictions), True),
        "/labels": (str(SPEC.labels), True),
    }  # fmt: skip
    assert all("noexec" in bound and "size=" in bound for bound in options()["tmpfs"].values())


def test_it_is_bounded_by_limits_of_its_own() -> None:
    found = options()
    assert (found["mem_limit"], found["memswap_limit"]) == (100 * MIB, 100 * MIB)
    assert (found["nano_cpus"], found["pids_limit"]) == (1_500_000_000, 9)
    assert found["log_config"]["Config"] == {"max-size": str(8 * MIB), "max-file": "2", "compress": "false"}


def test_it_is_found_again_by_its_labels_and_its_name() -> None:
    """By the job, for sweeps; by the process, which may die; and by one name for each run."""
    told = options()["labels"]
    assert told["leadersboard.job"] == SPEC.run.job_id
    assert (told["leadersboard.claim"], told["leadersboard.site"]) == ("c1", "s1")
    assert (told["leadersboard.role"], told["leadersboard.process"]) == ("scorer", "p1")
    assert options()["name"] == scorer_name(SPEC) == f"scorer-{SPEC.run.name}"


@pytest.mark.parametrize(("own", "program"), [(False, ["-m", "scorer.score"]), (True, ["/labels/score.py"])])
def test_labels_may_bring_their_own_program(own: bool, program: list[str]) -> None:  # noqa: FBT001 both kinds
    command = options(replace(SPEC, own_program=own))["command"]
    folders = ["--predictions", "/predictions", "--labels", "/labels", "--output", "/out"]
    assert command[5:] == ["python", *program, *folders]
