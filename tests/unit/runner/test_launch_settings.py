"""A run is judged by what it was launched with, whatever the runner that goes on with it is set to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.domain.job import Claim, JobState
from core.domain.limits import SMALL, UserLimits
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from core.domain.verdict import FailureReason
from runner.launch_settings import LaunchSettings, LogLimits
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import GOOD, Bench

pytestmark = pytest.mark.unit

SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(1.5)\n" + GOOD
ENDLESS = "import time; print('begun', flush=True); time.sleep(60)"
LIMITS = UserLimits(jobs_per_hour=5)


@pytest.fixture
def bench(tmp_path: Path) -> Bench[ProcessEngine]:
    return Bench(tmp_path, ProcessEngine(tmp_path / "engine"))


def folder_of(bench: Bench[ProcessEngine], claim: Claim) -> RunFolder:
    return RunFolder(path=bench.root / "jobs" / f"{claim.job_id}-{claim.job.sandbox}")


def begun_ago(folder: RunFolder, seconds: float) -> None:
    boot, begun = (folder.path / "begun").read_text().split()
    (folder.path / "begun").write_text(f"{boot} {float(begun) - seconds}")


def test_a_runner_with_a_shorter_limit_lets_a_run_have_its_time(bench: Bench[ProcessEngine]) -> None:
    """BOX-9: also after a restart with another setting."""
    claim = bench.left_running(SLOW)
    begun_ago(folder_of(bench, claim), 90)
    bench.limits = SMALL.model_copy(update={"timeout_seconds": 1})
    job = bench.run(claim)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message


def test_a_runner_with_a_longer_limit_stops_a_run_at_its_own(bench: Bench[ProcessEngine]) -> None:
    """The message names the limit that was applied, not the one that is set by then."""
    bench.limits = SMALL.model_copy(update={"timeout_seconds": 30})
    claim = bench.left_running(ENDLESS)
    begun_ago(folder_of(bench, claim), 31)
    bench.limits = SMALL
    job = bench.run(claim)
    assert job.failure_reason is FailureReason.TIMEOUT
    assert "after 30 s" in (job.error_message or "")


@pytest.mark.parametrize("held", [True, False])
def test_a_sweeper_with_a_shorter_limit_ends_no_run_of_another(bench: Bench[ProcessEngine], *, held: bool) -> None:
    """Whether its runner holds it at this moment or not; nor does one of another engine on the same machine."""
    claim = bench.left_running(ENDLESS)
    folder = folder_of(bench, claim)
    begun_ago(folder, 90)
    if not held:
        bench.ledger._leases.take(claim.job_id, claim.token, -1.0)
    bench.limits = SMALL.model_copy(update={"timeout_seconds": 1})
    bench.sweeper().sweep()
    assert folder.stopped is None
    bench.engine.remove_leftovers(claim.job_id)


def test_an_old_run_without_settings_is_judged_by_those_of_its_runner(bench: Bench[ProcessEngine]) -> None:
    """An upgrade between its launch and its end."""
    claim = bench.left_running(ENDLESS)
    (folder_of(bench, claim).path / "settings").unlink()
    begun_ago(folder_of(bench, claim), 90)
    bench.limits = SMALL.model_copy(update={"timeout_seconds": 60})
    assert "after 60 s" in (bench.run(claim).error_message or "")


def test_the_caps_of_a_log_are_those_of_the_launch(bench: Bench[ProcessEngine]) -> None:
    """LOG-3: how much a run may print does not shrink or grow while it runs."""
    program = "import time\nprint('begun', flush=True)\ntime.sleep(1.5)\nprint('x' * 2000, flush=True)\n" + GOOD
    claim = bench.left_running(program)
    bench.log_limits = {"max_bytes": 1000, "max_lines": 10, "kept_bytes": 200}
    job = bench.run(claim)
    assert job.state is JobState.COMPLETED, job.error_message
    assert "x" * 2000 in bench.log_of(job)


def test_the_message_of_a_flood_names_its_limits(bench: Bench[ProcessEngine]) -> None:
    """As they were applied."""
    job = bench.run(bench.claim("while True: print('x' * 99)"))
    assert job.failure_reason is FailureReason.LOG_LIMIT
    assert "or 1000 lines that a run may print" in (job.error_message or "")


@pytest.mark.parametrize("change", ["removed", "renamed"])
def test_a_run_outlives_its_class(bench: Bench[ProcessEngine], change: str) -> None:
    """It goes on by what it was launched with, to its true end."""
    claim = bench.left_running(SLOW)
    bench.resource_classes = {} if change == "removed" else {"other": SMALL.model_copy(update={"name": "other"})}
    bench.sweeper().sweep()
    job = bench.run(claim)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message


def test_a_job_that_would_go_back_to_a_queue_of_no_runner_ends_in_words(bench: Bench[ProcessEngine]) -> None:
    """Its class was removed, and the engine has lost its run: nothing would ever run it again."""
    claim = bench.left_running(ENDLESS)
    bench.engine.remove_leftovers(claim.job_id)
    bench.resource_classes = {}
    job = bench.run(claim)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert "no longer has a resource class 'small'" in (job.error_message or "")
    assert bench.ledger.allowance("ann", LIMITS).remaining == 5
    bench.assert_nothing_left()


def test_a_job_whose_class_another_runner_has_goes_back_to_its_queue(bench: Bench[ProcessEngine]) -> None:
    """Two runners of different settings beside each other."""
    figures = ClassFigures.model_validate(SMALL.model_dump())
    bench.runners.publish(
        RunnerReport(
            name="m:1", host="there", version="1", since="2026-01-01T00:00:00Z", state=RunnerState.READY,
            classes=(figures,),
        )
    )  # fmt: skip
    claim = bench.left_running(ENDLESS)
    bench.engine.remove_leftovers(claim.job_id)
    bench.resource_classes = {}
    assert bench.run(claim).state is JobState.PENDING


def test_a_run_outlives_its_benchmark(bench: Bench[ProcessEngine]) -> None:
    """What it needs of it is mounted already; its result is recorded under the name that it was run for."""
    claim = bench.left_running(SLOW)
    shutil.rmtree(bench.root / "benchmarks" / "synthetic")
    job = bench.run(claim)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message


def test_a_job_without_its_benchmark_is_not_begun_and_costs_nothing(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt, one clear sentence; a benchmark that is being written anew is waited for."""
    monkeypatch.setattr("runner.job.attempt.ASIDE_SECONDS", 0.0)
    claim = bench.claim(GOOD)
    shutil.rmtree(bench.root / "benchmarks" / "synthetic")
    job = bench.run(claim)
    assert (job.state, job.failure_reason, job.attempt) == (JobState.FAILED, FailureReason.PLATFORM, 1)
    assert "no longer has the benchmark 'synthetic'" in (job.error_message or "")
    assert bench.ledger.allowance("ann", LIMITS).remaining == 5
    assert bench.engine.launched == []
    bench.assert_nothing_left()


SETTINGS = LaunchSettings(limits=SMALL, image="i", log=LogLimits(max_bytes=1, max_lines=2, kept_bytes=3))


def test_settings_of_a_newer_version_are_read_by_an_older_one(tmp_path: Path) -> None:
    """Two versions on one engine: what this one does not know is left out."""
    folder = RunFolder.make(tmp_path / "job-mark")
    folder.agree(SETTINGS)
    told = json.loads((folder.path / "settings").read_text())
    told |= {"more": 1, "limits": told["limits"] | {"disks": 2}, "log": told["log"] | {"more": 1}}
    (folder.path / "settings").write_text(json.dumps(told))
    assert folder.settings == SETTINGS


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"limits": 1}', '{"limits": {"name": "small"}}', "\0"])
def test_settings_that_cannot_be_read_stop_nothing(tmp_path: Path, text: str) -> None:
    """Then the rule for older versions holds."""
    folder = RunFolder.make(tmp_path / "job-mark")
    (folder.path / "settings").write_text(text)
    assert folder.settings is None
