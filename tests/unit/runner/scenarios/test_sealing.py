"""A run's result is sealed in the ledger with the job's end, and only the run that was noted is its copy (DOR-3)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.job import JobState
from core.domain.sealed_result import SealedFrom
from core.domain.tracking_state import compared
from core.ports.tracking import Result, RunRef
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, tidy

pytestmark = [pytest.mark.unit, pytest.mark.slow]


def assert_sealed_as_tracked(runner: TwinRunner[ProcessEngine], job_id: str, auc: float = 0.5) -> None:
    """One run, the job's, which says what is sealed."""
    recorded = runner.results.get(job_id)
    assert recorded is not None
    ((ref, _result),) = runner.tracking.results.values()
    assert (recorded.result.run_id, recorded.result.metrics["image_auc"]) == (ref.run_id, auc)
    assert runner.ledger.get(job_id).run_id == ref.run_id
    assert compared(recorded.result, runner.tracking.tracked([ref])[ref.run_id]).differences == ()


def test_everything_of_a_result_is_sealed(runner: TwinRunner[ProcessEngine]) -> None:
    """Figures, params, where it came from, and the hash of each file but the log's."""
    job = runner.run(runner.claim(GOOD))
    recorded = runner.results.get(job.job_id)
    assert recorded is not None
    result = recorded.result
    assert (result.metrics, result.method) == ({"image_auc": 0.5}, "m")
    assert result.params == {"method": "m", "config/seed": "7"}
    assert (result.user_id, result.benchmark, result.submission_id) == ("ann", "synthetic", job.submission_id)
    assert "system/wall_seconds" in result.figures
    assert result.tags["leadersboard.code_sha256"]
    assert (result.sealed_from, recorded.finished_at) == (SealedFrom.RUN, job.finished_at)
    hashes = {file.path: file.sha256 for file in result.files}
    assert hashes["curves/roc.png"] == hashlib.sha256(b"png").hexdigest()
    assert hashes[f"logs/{job.job_id}.log"] is None
    assert_sealed_as_tracked(runner, job.job_id)


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "print('no metrics')"])
def test_a_job_that_failed_has_no_result(runner: TwinRunner[ProcessEngine], program: str) -> None:
    """Nothing of it is on a board."""
    job = runner.run(runner.claim(program))
    assert job.state is JobState.FAILED
    assert runner.results.get(job.job_id) is None
    assert runner.results.of_benchmark("synthetic") == {}


def test_a_result_that_waits_is_sealed_once_it_is_recorded(runner: TwinRunner[ProcessEngine]) -> None:
    """TRK-5: a job is complete when its result is in both places."""
    runner.tracking.away = True
    claim = runner.claim(GOOD)
    runner.run(claim)
    assert runner.results.get(claim.job_id) is None
    runner.tracking.away = False
    runner.sweeper().sweep()
    assert runner.run(runner.claim_again()).state is JobState.COMPLETED
    assert_sealed_as_tracked(runner, claim.job_id)


def test_what_was_changed_before_the_end_is_not_taken_for_the_result(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server closed the run and did not answer; then somebody logs another value, before the job is complete."""
    claim = runner.claim(GOOD)
    record = runner.tracking.record

    def unanswered(result: Result, **asked: Any) -> RunRef:
        record(result, **asked)
        raise Unavailable("The tracking server", "it took too long")

    with monkeypatch.context() as patch:
        patch.setattr(runner.tracking, "record", unanswered)
        runner.run(claim)
    ((ref, _result),) = runner.tracking.results.values()
    assert runner.ledger.get(claim.job_id).begun_run == ref.run_id
    runner.tracking.changes[ref.run_id] = {"metrics": {"image_auc": 0.9999}}
    runner.ledger.release_results("here")
    runner.run(runner.claim_again())
    assert_sealed_as_tracked(runner, claim.job_id)


def test_a_forged_run_is_not_taken_for_the_result(runner: TwinRunner[ProcessEngine]) -> None:
    """Finished, with the job's own tags, and there before the real one: only what the ledger noted counts."""
    claim = runner.claim(GOOD)
    forged = RunRef(run_id="forged", experiment_id="synthetic")
    runner.run(claim)
    ((_ref, result),) = runner.tracking.results.values()
    better = replace(result, metrics=replace(result.metrics, metrics={"image_auc": 0.9999}))
    again = runner.claim(GOOD + "# another")
    runner.tracking.results.clear()
    runner.tracking.results[again.job_id] = (forged, replace(better, job=again.job))
    runner.run(again)
    recorded = runner.results.get(again.job_id)
    assert recorded is not None
    assert (recorded.result.run_id != "forged", recorded.result.metrics) == (True, {"image_auc": 0.5})


def test_no_tag_makes_the_sweeper_remove_anothers_run(runner: TwinRunner[ProcessEngine]) -> None:
    """Open or closed: whose a run is says the ledger."""
    done = runner.run(runner.claim(GOOD))
    other = runner.run(runner.claim("raise SystemExit(1)"))
    ref, result = runner.tracking.results.pop(done.job_id)
    runner.tracking.results[other.job_id] = (ref, result)  # its tag says that it is the failed job's
    assert done.run_id is not None
    runner.tracking.begun[done.run_id] = (other.job_id, "synthetic")
    sweeper = runner.sweeper()
    tidy(sweeper)
    assert (set(runner.tracking.results), set(runner.tracking.begun)) == ({other.job_id}, {done.run_id})
    assert {"open run", "untrue run"}.isdisjoint(runner.runners.mended())


def test_old_jobs_are_sealed_by_the_sweeper(runner: TwinRunner[ProcessEngine]) -> None:
    """By itself, once; a tracking server that is away only delays it."""
    job = runner.run(runner.claim(GOOD))
    sealed = runner.ledger.results.pop(job.job_id)  # as an older version leaves it
    runner.tracking.away = True
    tidy(runner.sweeper())
    assert runner.results.get(job.job_id) is None
    runner.tracking.away = False
    runner.runners.clock = lambda: 10**12
    tidy(runner.sweeper())
    found = runner.results.get(job.job_id)
    assert found is not None
    assert found.result.sealed_from is SealedFrom.TRACKING
    assert (found.result.metrics, found.result.run_id) == (sealed.metrics, sealed.run_id)
