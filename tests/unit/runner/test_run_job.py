"""One job from claim to release: every way it can end, with a real process where the container would be."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from core.domain.job import Claim, Job, JobState, Outcome
from core.domain.limits import SMALL, GpuPolicy, ResourceClass, UserLimits
from core.domain.verdict import FailureReason
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import GOOD, Bench, when

pytestmark = pytest.mark.unit


@pytest.fixture
def bench(tmp_path: Path) -> Bench[ProcessEngine]:
    return Bench(tmp_path, ProcessEngine(tmp_path / "engine"))


def test_a_good_run_is_recorded_and_completed(bench: Bench[ProcessEngine]) -> None:
    """Metrics, artifacts with the log, tags and our own measurements reach the tracking server as one run."""
    job = bench.run(bench.claim(GOOD))
    ref, result = bench.tracking.results[job.job_id]
    assert (job.state, job.run_id, job.device) == (JobState.COMPLETED, ref.run_id, "cpu")
    assert result.metrics.metrics == {"image_auc": 0.5}
    assert result.measured["wall_seconds"] > 0
    assert result.tags["leadersboard.image_digest"] == "sha256:none"
    assert len(result.tags["leadersboard.code_sha256"]) == 64
    assert "hello from the run" in bench.log_of(job)
    assert bench.log_of(job).rstrip().endswith("Ended: completed")
    bench.assert_nothing_left()


def test_a_run_sees_its_job_and_overrides(bench: Bench[ProcessEngine]) -> None:
    """JOB-1: what the config holds besides its own keys reaches the run as job.json."""
    program = "import json, os; print(sorted(json.load(open(os.environ['LEADERSBOARD_JOB'])).items()))\n"
    log = bench.log_of(bench.run(bench.claim(program)))
    assert "('overrides', {'seed': 7})" in log
    assert "'categories': ['weave']" in log


@pytest.mark.parametrize(
    ("program", "reason", "words"),
    [
        ("raise SystemExit(3)", FailureReason.EXIT, "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", FailureReason.EXIT, "SIGSEGV"),
        ("print('done')", FailureReason.NO_METRICS, "wrote no metrics.json"),
        (
            "import sys; open(sys.argv[4] + '/metrics.json', 'w').write('{')",
            FailureReason.BAD_METRICS,
            "not valid JSON",
        ),
        (
            "import os, sys; os.symlink('/etc/hostname', sys.argv[4] + '/metrics.json')",
            FailureReason.BAD_METRICS,
            "not a plain file",
        ),
        (GOOD + "raise SystemExit(1)", FailureReason.EXIT, "exit code 1"),
    ],
)
def test_a_bad_run_fails_with_its_reason(
    bench: Bench[ProcessEngine], program: str, reason: FailureReason, words: str
) -> None:
    """BOX-9: the message names the deciding fact, the log stays and says how it ended, nothing is recorded or left."""
    job = bench.run(bench.claim(program))
    assert (job.state, job.failure_reason, job.run_id) == (JobState.FAILED, reason, None)
    assert words in (job.error_message or "")
    assert f"Ended: failed: {job.error_message}" in bench.log_of(job)
    assert bench.tracking.results == {}
    bench.assert_nothing_left()


def test_a_run_past_its_time_is_stopped(bench: Bench[ProcessEngine]) -> None:
    """BOX-9: also one that ignores SIGTERM; its log until then stays."""
    bench.limits = SMALL.model_copy(update={"timeout_seconds": 1})
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('begun'); time.sleep(60)"
    job = bench.run(bench.claim(program))
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.TIMEOUT)
    assert "after 1 s" in (job.error_message or "")
    assert "begun" in bench.log_of(job)
    bench.assert_nothing_left()


def test_a_flood_is_stopped_and_its_log_bounded(bench: Bench[ProcessEngine]) -> None:
    """LOG-3: past the hard limit the run is stopped; what is kept on disk has its own bound."""
    job = bench.run(bench.claim("while True: print('x' * 99)"))
    assert job.failure_reason is FailureReason.LOG_LIMIT
    assert len(bench.log_of(job)) < bench.log_limits["kept_bytes"] + 1_000
    assert "bytes were dropped here" in bench.log_of(job)
    bench.assert_nothing_left()


def test_a_cancelled_run_is_stopped(bench: Bench[ProcessEngine]) -> None:
    """JOB-8: the runner hears of it at its next heartbeat."""
    claim = bench.claim("import time; print('begun'); time.sleep(60)")
    begun = lambda: "begun" in bench.storage.read_log(claim.job_id).text  # noqa: E731
    canceller = when(begun, lambda: bench.ledger.cancel(claim.job_id))
    job = bench.run(claim)
    canceller.join()
    assert (job.state, job.failure_reason) == (JobState.CANCELLED, None)
    bench.assert_nothing_left()


def test_an_engine_that_loses_a_run_costs_an_attempt_and_not_the_job(bench: Bench[ProcessEngine]) -> None:
    """A failing platform is an error, never a verdict: the job is run again, and the third time it is over."""
    claim = bench.claim("import time; time.sleep(60)")
    for attempt in (1, 2, 3):
        bench.engine.lost.add((claim.job_id, attempt))
        job = bench.run(claim)
        if attempt < 3:
            assert (job.state, job.attempt) == (JobState.PENDING, attempt)
            claim = bench.claim_again()
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert bench.ledger.allowance("ann", UserLimits(jobs_per_hour=5)).remaining == 5
    assert "not your submission's fault" in bench.log_of(job)
    bench.assert_nothing_left()


def test_a_stopping_runner_hands_its_job_over(bench: Bench[ProcessEngine]) -> None:
    """RUN-3: the job waits for another runner, with no attempt used up."""
    claim = bench.claim("import time; print('begun'); time.sleep(60)")
    begun = lambda: "begun" in bench.storage.read_log(claim.job_id).text  # noqa: E731
    stopper = when(begun, bench.stopping.set)
    job = bench.run(claim)
    stopper.join()
    assert (job.state, job.attempt) == (JobState.PENDING, 0)
    bench.assert_nothing_left()


def test_a_result_waits_for_the_tracking_server(bench: Bench[ProcessEngine]) -> None:
    """TRK-5: MLflow being away delays a result and never loses it; the status says "recording" meanwhile."""
    bench.tracking.away = True
    claim = bench.claim(GOOD)
    phases = []

    def come_back() -> None:
        phases.append(bench.ledger.get(claim.job_id).phase)
        bench.tracking.away = False

    back = when(lambda: bench.ledger.get(claim.job_id).phase == "recording", come_back)
    job = bench.run(claim)
    back.join()
    assert (phases, job.state) == (["recording"], JobState.COMPLETED)


def test_a_lost_lease_ends_the_attempt_without_a_trace(bench: Bench[ProcessEngine]) -> None:
    """Another runner may hold the job: this one stops its container and writes nothing more."""
    claim = bench.claim("import time; print('begun'); time.sleep(60)")
    bench.ledger._leases[claim.job_id] = ("somebody else", time.time() + 99)
    job = bench.run(claim)
    assert job.state is JobState.RUNNING
    bench.assert_nothing_left()


@pytest.mark.parametrize(
    ("policy", "devices", "device", "state"),
    [
        (GpuPolicy.AUTO, ("GPU-a",), "gpu GPU-a", JobState.COMPLETED),
        (GpuPolicy.AUTO, (), "cpu", JobState.COMPLETED),
        (GpuPolicy.NONE, ("GPU-a",), "cpu", JobState.COMPLETED),
        (GpuPolicy.REQUIRED, (), None, JobState.FAILED),
    ],
)
def test_the_job_says_which_device_it_got(
    bench: Bench[ProcessEngine], policy: GpuPolicy, devices: tuple[str, ...], device: str | None, state: JobState
) -> None:
    """BOX-5: one whole device where there is any, else the CPU; a class that needs one is told so."""
    bench.limits = ResourceClass(**SMALL.model_dump() | {"gpus": policy})
    bench.engine.devices = devices
    job = bench.run(bench.claim(GOOD))
    assert (job.state, job.device) == (state, device)
    if state is JobState.FAILED:
        assert "needs a GPU" in (job.error_message or "")
    bench.assert_nothing_left()


def test_a_taken_device_is_waited_for(bench: Bench[ProcessEngine]) -> None:
    """BOX-5: devices are never shared."""
    bench.engine.devices, bench.engine.taken = ("GPU-a",), {"GPU-a"}
    claim = bench.claim(GOOD)
    freed = when((bench.root / "gpus.lock").exists, bench.engine.taken.clear)
    assert bench.run(claim).device == "gpu GPU-a"
    freed.join()


def test_a_cancel_is_heard_until_the_result_is_recorded(bench: Bench[ProcessEngine]) -> None:
    """JOB-8: also for a run that was faster than a heartbeat, and while MLflow is away."""
    bench.tracking.away = True
    claim = bench.claim(GOOD)
    recording = lambda: bench.ledger.get(claim.job_id).phase == "recording"  # noqa: E731
    canceller = when(recording, lambda: bench.ledger.cancel(claim.job_id))
    job = bench.run(claim)
    canceller.join()
    assert (job.state, bench.tracking.results) == (JobState.CANCELLED, {})
    assert "Cancelled before it was recorded" in bench.log_of(job)


def test_a_cancelled_job_does_not_wait_for_a_device(bench: Bench[ProcessEngine]) -> None:
    """JOB-8: nothing of it is ever started."""
    bench.engine.devices, bench.engine.taken = ("GPU-a",), {"GPU-a"}
    claim = bench.claim(GOOD)
    bench.ledger.cancel(claim.job_id)
    assert bench.run(claim).state is JobState.CANCELLED
    assert bench.engine.launched == []


def test_a_job_that_is_cancelled_while_its_runner_stops_is_not_run_again(bench: Bench[ProcessEngine]) -> None:
    """RUN-3 and JOB-8 at once: the hand-over ends it."""
    claim = bench.claim("import time; print('begun'); time.sleep(60)")

    def stop_and_cancel() -> None:
        bench.stopping.set()
        bench.ledger.cancel(claim.job_id)

    begun = lambda: "begun" in bench.storage.read_log(claim.job_id).text  # noqa: E731
    stopper = when(begun, stop_and_cancel)
    job = bench.run(claim)
    stopper.join()
    assert job.state is JobState.CANCELLED


def test_a_runner_that_lost_its_lease_leaves_its_successor_alone(bench: Bench[ProcessEngine]) -> None:
    """Each claim has a folder of its own; what the late one cleans up is its own."""
    late = bench.claim("import time; print('begun'); time.sleep(2)\n" + GOOD)
    bench.ledger._leases[late.job_id] = (late.token, 0.0)
    bench.ledger.sweep(max_attempts=3)
    new = bench.claim_again()
    late_runner = threading.Thread(target=bench.run, args=(late,))
    late_runner.start()
    job = bench.run(new)
    late_runner.join()
    assert (job.state, job.attempt) == (JobState.COMPLETED, 2)


def test_a_ledger_that_is_away_at_the_end_is_told_when_it_is_back(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is not repeated for it, and the log has one last line."""
    finish, calls = bench.ledger.finish, []

    def away_at_first(claim: Claim, outcome: Outcome) -> Job:
        calls.append(outcome.state)
        if len(calls) < 3:
            raise Unavailable("The ledger", "it is away")
        return finish(claim, outcome)

    monkeypatch.setattr(bench.ledger, "finish", away_at_first)
    monkeypatch.setattr("runner.attempt.FIRST_RETRY_SECONDS", 0.05)
    job = bench.run(bench.claim(GOOD))
    assert (job.state, job.attempt, len(calls)) == (JobState.COMPLETED, 1, 3)
    assert bench.log_of(job).count("Ended:") == 1
