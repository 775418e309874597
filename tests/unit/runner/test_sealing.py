"""A run's result is sealed in the ledger with the job's end, and only the run that was noted is its copy (DOR-3)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.job import JobState
from core.domain.sealed_result import SealedFrom
from core.domain.tracking_state import compared
from core.ports.tracking import Result, RunRef
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import GOOD, Bench, tidy

pytestmark = pytest.mark.unit


@pytest.fixture
def bench(tmp_path: Path) -> Bench[ProcessEngine]:
    return Bench(tmp_path, ProcessEngine(tmp_path / "engine"))


def assert_sealed_as_tracked(bench: Bench[ProcessEngine], job_id: str, auc: float = 0.5) -> None:
    """One run, the job's, which says what is sealed."""
    recorded = bench.results.get(job_id)
    assert recorded is not None
    ((ref, _result),) = bench.tracking.results.values()
    assert (recorded.result.run_id, recorded.result.metrics["image_auc"]) == (ref.run_id, auc)
    assert bench.ledger.get(job_id).run_id == ref.run_id
    assert compared(recorded.result, bench.tracking.tracked([ref])[ref.run_id]).differences == ()


def test_everything_of_a_result_is_sealed(bench: Bench[ProcessEngine]) -> None:
    """Figures, params, where it came from, and the hash of each file but the log's."""
    job = bench.run(bench.claim(GOOD))
    recorded = bench.results.get(job.job_id)
    assert recorded is not None
    result = recorded.result
    assert (result.metrics, result.params, result.method) == ({"image_auc": 0.5}, {"method": "m"}, "m")
    assert (result.user_id, result.benchmark, result.submission_id) == ("ann", "synthetic", job.submission_id)
    assert "system/wall_seconds" in result.figures
    assert result.tags["leadersboard.code_sha256"]
    assert (result.sealed_from, recorded.finished_at) == (SealedFrom.RUN, job.finished_at)
    hashes = {file.path: file.sha256 for file in result.files}
    assert hashes["curves/roc.png"] == hashlib.sha256(b"png").hexdigest()
    assert hashes[f"logs/{job.job_id}.log"] is None
    assert_sealed_as_tracked(bench, job.job_id)


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "print('no metrics')"])
def test_a_job_that_failed_has_no_result(bench: Bench[ProcessEngine], program: str) -> None:
    """Nothing of it is on a board."""
    job = bench.run(bench.claim(program))
    assert job.state is JobState.FAILED
    assert bench.results.get(job.job_id) is None
    assert bench.results.of_benchmark("synthetic") == {}


def test_a_result_that_waits_is_sealed_once_it_is_recorded(bench: Bench[ProcessEngine]) -> None:
    """TRK-5: a job is complete when its result is in both places."""
    bench.tracking.away = True
    claim = bench.claim(GOOD)
    bench.run(claim)
    assert bench.results.get(claim.job_id) is None
    bench.tracking.away = False
    bench.sweeper().sweep()
    assert bench.run(bench.claim_again()).state is JobState.COMPLETED
    assert_sealed_as_tracked(bench, claim.job_id)


def test_what_was_changed_before_the_end_is_not_taken_for_the_result(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server closed the run and did not answer; then somebody logs another value, before the job is complete."""
    claim = bench.claim(GOOD)
    record = bench.tracking.record

    def unanswered(result: Result, **asked: Any) -> RunRef:
        record(result, **asked)
        raise Unavailable("The tracking server", "it took too long")

    with monkeypatch.context() as patch:
        patch.setattr(bench.tracking, "record", unanswered)
        bench.run(claim)
    ((ref, _result),) = bench.tracking.results.values()
    assert bench.ledger.get(claim.job_id).begun_run == ref.run_id
    bench.tracking.changes[ref.run_id] = {"metrics": {"image_auc": 0.9999}}
    bench.ledger.release_results("here")
    bench.run(bench.claim_again())
    assert_sealed_as_tracked(bench, claim.job_id)


def test_a_forged_run_is_not_taken_for_the_result(bench: Bench[ProcessEngine]) -> None:
    """Finished, with the job's own tags, and there before the real one: only what the ledger noted counts."""
    claim = bench.claim(GOOD)
    forged = RunRef(run_id="forged", experiment_id="synthetic")
    bench.run(claim)
    ((_ref, result),) = bench.tracking.results.values()
    better = replace(result, metrics=replace(result.metrics, metrics={"image_auc": 0.9999}))
    again = bench.claim(GOOD + "# another")
    bench.tracking.results.clear()
    bench.tracking.results[again.job_id] = (forged, replace(better, job=again.job))
    bench.run(again)
    recorded = bench.results.get(again.job_id)
    assert recorded is not None
    assert (recorded.result.run_id != "forged", recorded.result.metrics) == (True, {"image_auc": 0.5})


def test_no_tag_makes_the_sweeper_remove_anothers_run(bench: Bench[ProcessEngine]) -> None:
    """Open or closed: whose a run is says the ledger."""
    done = bench.run(bench.claim(GOOD))
    other = bench.run(bench.claim("raise SystemExit(1)"))
    ref, result = bench.tracking.results.pop(done.job_id)
    bench.tracking.results[other.job_id] = (ref, result)  # its tag says that it is the failed job's
    assert done.run_id is not None
    bench.tracking.begun[done.run_id] = (other.job_id, "synthetic")
    sweeper = bench.sweeper()
    tidy(sweeper)
    assert (set(bench.tracking.results), set(bench.tracking.begun)) == ({other.job_id}, {done.run_id})
    assert {"open run", "untrue run"}.isdisjoint(bench.runners.mended())


def test_old_jobs_are_sealed_by_the_sweeper(bench: Bench[ProcessEngine]) -> None:
    """By itself, once; a tracking server that is away only delays it."""
    job = bench.run(bench.claim(GOOD))
    sealed = bench.ledger.results.pop(job.job_id)  # as an older version leaves it
    bench.tracking.away = True
    tidy(bench.sweeper())
    assert bench.results.get(job.job_id) is None
    bench.tracking.away = False
    bench.runners.clock = lambda: 10**12
    tidy(bench.sweeper())
    found = bench.results.get(job.job_id)
    assert found is not None
    assert found.result.sealed_from is SealedFrom.TRACKING
    assert (found.result.metrics, found.result.run_id) == (sealed.metrics, sealed.run_id)
