"""One job from claim to release: every way it can end, with a real process where the container would be."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.job import CANCEL_SECONDS, Claim, Job, JobState, Outcome
from core.domain.limits import SMALL, GpuPolicy, ResourceClass, UserLimits
from core.domain.sealed_result import SealedResult
from core.domain.verdict import FailureReason, RunRecord, Stop
from core.ports.sandbox import Harvest, RunOutput, SandboxSpec
from core.ports.tracking import Result, RunRef
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine, ProcessSandbox
from tests.runner_bench import GOOD, Bench, jobs_in, when

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


def test_an_old_run_whose_class_is_gone_ends_in_words_and_at_nobodys_cost(bench: Bench[ProcessEngine]) -> None:
    """An older version kept nothing of what it was launched with: it ends rather than be put back for ever."""
    claim = bench.claim("import time; print('begun'); time.sleep(60)")
    begun = lambda: "begun" in bench.storage.read_log(claim.job_id).text  # noqa: E731
    stopper = when(begun, bench.stopping.set)
    bench.run(claim)
    stopper.join()
    bench.stopping.clear()
    (bench.root / "jobs" / f"{claim.job_id}-{claim.mark}" / "settings").unlink()
    bench.resource_classes = {}
    job = bench.run(bench.claim_again())
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert "no longer has a resource class 'small'" in (job.error_message or "")
    assert "begun" in bench.log_of(job)
    assert bench.ledger.allowance("ann", UserLimits(jobs_per_hour=5)).remaining == 5
    bench.assert_nothing_left()


def test_a_machine_that_was_started_anew_costs_an_attempt_and_the_log_says_so(bench: Bench[ProcessEngine]) -> None:
    """Its runs went with it: what was printed stays, and no run is begun again as if it were the first."""
    claim = bench.left_running("print('begun', flush=True); import time; time.sleep(60)")
    bench.engine.remove_leftovers(claim.job_id)
    (folder,) = (bench.root / "jobs").glob(f"{claim.job_id}-*")
    (folder / "begun").write_text("another-boot 12.5")
    (folder / "position").write_bytes(bytes(65))  # as a power cut may leave it
    job = bench.run(claim)
    assert (job.state, job.attempt) == (JobState.PENDING, 1)
    assert "The machine was started anew during this run." in bench.log_of(job)
    assert bench.log_of(job).count("begun") == 1
    bench.assert_nothing_left()
    assert bench.claim_again().job.attempt == 2


def test_a_result_that_waits_outlives_the_machine(bench: Bench[ProcessEngine]) -> None:
    """TRK-5: it is on disk; a runner that stops while it is recorded throws nothing away."""
    bench.tracking.away = True
    claim = bench.claim(GOOD)
    bench.run(claim)
    (bench.root / "jobs" / f"{claim.job_id}-{claim.mark}" / "begun").write_text("another-boot 12.5")
    bench.tracking.away = False
    bench.ledger.release_results("here")
    bench.stopping.set()
    assert bench.run(bench.claim_again()).state is JobState.RUNNING
    bench.stopping.clear()
    job = bench.run(bench.claim_again())
    assert (job.state, job.attempt, len(bench.engine.launched)) == (JobState.COMPLETED, 1, 1)
    bench.assert_nothing_left()


def test_a_stop_that_its_runner_did_not_come_to_is_carried_out(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-9: killed between the word and the deed; whoever takes the run over ends it for the same reason."""
    claim = bench.left_running("import time; print('begun', flush=True); time.sleep(60)")
    RunFolder(path=bench.root / "jobs" / f"{claim.job_id}-{claim.job.sandbox}").stop(Stop.LOG_LIMIT)
    asked = time.monotonic()
    job = bench.run(claim)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.LOG_LIMIT)
    assert time.monotonic() - asked < 30


def test_a_stopping_runner_hands_its_run_over(bench: Bench[ProcessEngine]) -> None:
    """RUN-3: the run goes on, and another runner brings it to its end: one attempt, one start, the whole log."""
    claim = bench.claim("import time; print('begun'); time.sleep(1.5); print('still here')\n" + GOOD)
    stopper = when(lambda: "begun" in bench.storage.read_log(claim.job_id).text, bench.stopping.set)
    job = bench.run(claim)
    stopper.join()
    assert (job.state, job.attempt) == (JobState.RUNNING, 1)
    bench.stopping.clear()
    job = bench.run(bench.claim_again())
    assert (job.state, job.attempt, len(bench.engine.launched)) == (JobState.COMPLETED, 1, 1)
    assert [bench.log_of(job).count(words) for words in ("begun", "still here", "hello from")] == [1, 1, 1]
    bench.assert_nothing_left()


def test_a_stopping_runner_puts_back_what_has_not_begun(bench: Bench[ProcessEngine]) -> None:
    """RUN-3: a job that waits for a device is nobody's run yet; no attempt is used up."""
    bench.engine.devices, bench.engine.taken = ("GPU-a",), {"GPU-a"}
    claim = bench.claim(GOOD)
    stopper = when((bench.root / "gpus.lock").exists, bench.stopping.set)
    job = bench.run(claim)
    stopper.join()
    assert (job.state, job.attempt) == (JobState.PENDING, 0)
    bench.assert_nothing_left()


def test_a_result_waits_for_the_tracking_server(bench: Bench[ProcessEngine]) -> None:
    """TRK-5: MLflow being away keeps no runner and loses nothing; the status says "recording" meanwhile."""
    bench.tracking.away = True
    job = bench.run(bench.claim(GOOD))
    assert (job.state, job.phase, jobs_in(bench.engine)) == (JobState.RUNNING, "recording", set())
    assert bench.ledger.claim("small", worker="w", lease_seconds=9, running_limit=1, host="here") is None
    bench.tracking.away = False
    assert bench.ledger.release_results("here") == 1
    job = bench.run(bench.claim_again())
    assert (job.state, job.attempt, len(bench.engine.launched)) == (JobState.COMPLETED, 1, 1)
    ref, result = bench.tracking.results[job.job_id]
    assert (job.run_id, result.tags["leadersboard.image_digest"]) == (ref.run_id, "sha256:none")
    bench.assert_nothing_left()


def test_a_tracking_server_that_answers_and_takes_nothing_is_told_to_admins(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRK-5: the result waits, and somebody can find out why; one that is away is no news."""
    bench.tracking.away = True
    bench.run(bench.claim(GOOD))
    assert bench.dead_letters.page().total == 0
    bench.tracking.away = False
    bench.ledger.release_results("here")

    def refused(_result: Result, **_named: object) -> RunRef:
        raise Unavailable("The tracking server (MLflow)", "500 Internal Server Error")

    with monkeypatch.context() as broken:
        broken.setattr(bench.tracking, "record", refused)
        assert bench.run(bench.claim_again()).state is JobState.RUNNING
    (letter,) = bench.dead_letters.page().letters
    assert (letter.failure.step, "500" in letter.failure.message) == ("record result", True)
    assert not bench.ledger.recording_turn("here", jitter=0.5), "it was in vain: there is a pause"
    bench.ledger.release_results("here")
    assert bench.run(bench.claim_again()).state is JobState.COMPLETED


def test_a_submission_that_was_put_aside_is_waited_for(bench: Bench[ProcessEngine]) -> None:
    """RUN-7: retention gives it back once it has seen the job, which costs that nothing."""
    claim = bench.claim(GOOD)
    folder = bench.root / "submissions" / claim.job.submission_id
    aside = folder.with_name(".aside")
    folder.rename(aside)
    back = threading.Timer(0.5, lambda: aside.rename(folder))
    back.start()
    job = bench.run(claim)
    back.join()
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)


def test_a_lost_lease_leaves_the_run_to_its_new_holder(bench: Bench[ProcessEngine]) -> None:
    """Whoever holds the job now watches the container: this runner touches nothing of it any more."""
    claim = bench.claim("import time; print('begun'); time.sleep(60)")
    begun = lambda: "begun" in bench.storage.read_log(claim.job_id).text  # noqa: E731
    thief = when(begun, lambda: bench.ledger._leases.take(claim.job_id, "somebody else", 99))
    job = bench.run(claim)
    thief.join()
    assert job.state is JobState.RUNNING
    assert jobs_in(bench.engine) == {claim.job_id}
    assert (bench.root / "jobs" / f"{claim.job_id}-{claim.mark}" / "begun").exists()
    bench.engine.remove_leftovers(claim.job_id)


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


def test_a_cancel_is_heard_while_the_result_waits(bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB-8: nobody holds the job then; the sweep carries it out."""
    bench.tracking.away = True
    job = bench.run(bench.claim(GOOD))
    bench.ledger.cancel(job.job_id)
    monkeypatch.setattr(bench.ledger, "clock", lambda: time.time() + CANCEL_SECONDS)
    assert [ended.state for ended in bench.ledger.sweep(max_attempts=3, host="here").ended] == [JobState.CANCELLED]
    assert bench.tracking.results == {}


def test_a_cancel_is_heard_until_the_result_is_recorded(bench: Bench[ProcessEngine]) -> None:
    """JOB-8: also for a run that was faster than a heartbeat."""
    claim = bench.claim(GOOD)
    record = bench.tracking.record

    def cancel_first(result: Result, **asked: Any) -> RunRef:
        bench.ledger.cancel(claim.job_id)
        return record(result, **asked)

    bench.tracking.record = cancel_first  # type: ignore[method-assign]
    job = bench.run(claim)
    assert (job.state, bench.tracking.results) == (JobState.CANCELLED, {})
    assert "Cancelled before it was recorded" in bench.log_of(job)
    bench.assert_nothing_left()


def test_a_cancelled_job_does_not_wait_for_a_device(bench: Bench[ProcessEngine]) -> None:
    """JOB-8: nothing of it is ever started."""
    bench.engine.devices, bench.engine.taken = ("GPU-a",), {"GPU-a"}
    claim = bench.claim(GOOD)
    bench.ledger.cancel(claim.job_id)
    assert bench.run(claim).state is JobState.CANCELLED
    assert bench.engine.launched == []


def test_a_job_that_is_cancelled_before_its_launch_gets_no_container(bench: Bench[ProcessEngine]) -> None:
    """JOB-8: also when nothing has to be waited for; what nobody wants any more is not begun."""
    claim = bench.claim(GOOD)
    bench.ledger.cancel(claim.job_id)
    job = bench.run(claim)
    assert (job.state, bench.engine.launched) == (JobState.CANCELLED, [])
    assert "Cancelled before it started" in bench.log_of(job)
    bench.assert_nothing_left()


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
    """Both live for a while: the run is one, its log has every line once, and the late one's word does not count."""
    late = bench.claim("import time\nfor n in range(20): print('line', n, flush=True); time.sleep(0.1)\n" + GOOD)
    late_runner = threading.Thread(target=bench.run, args=(late,))
    late_runner.start()
    begun = time.monotonic() + 20
    while "line 2" not in bench.storage.read_log(late.job_id).text and time.monotonic() < begun:
        time.sleep(0.01)
    bench.ledger._leases.take(late.job_id, late.token, -1.0)
    bench.ledger.sweep(max_attempts=3, host="here")
    job = bench.run(bench.claim_again())
    late_runner.join()
    assert (job.state, job.attempt, len(bench.engine.launched)) == (JobState.COMPLETED, 1, 1)
    lines = [line for line in bench.log_of(job).splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(20)]


def test_an_outage_of_the_ledger_that_outlasts_the_lease_leaves_the_run_to_its_new_holder(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever claims it first after that reads what the run left: nothing of it has been cleared away."""
    claim = bench.claim("print('begun')\n" + GOOD)
    begun = lambda: "begun" in bench.storage.read_log(claim.job_id).text  # noqa: E731
    renew, until = bench.ledger.renew, time.monotonic() + 1.0

    def away_for_a_while(held: Claim, *, lease_seconds: float) -> bool:
        if begun() and time.monotonic() < until:
            raise Unavailable("The ledger", "it is away")
        if begun():
            bench.ledger._leases.take(claim.job_id, "somebody else", 99)
        return renew(held, lease_seconds=lease_seconds)

    monkeypatch.setattr(bench.ledger, "renew", away_for_a_while)
    monkeypatch.setattr("runner.lease.lease.RETRY_SECONDS", 0.05)
    assert bench.run(claim).state is JobState.RUNNING
    assert jobs_in(bench.engine) == {claim.job_id}
    assert RunFolder(path=bench.root / "jobs" / f"{claim.job_id}-{claim.mark}").harvested() is None
    bench.engine.remove_leftovers(claim.job_id)


def test_what_a_slower_runner_reads_while_another_takes_its_run_over_counts(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine knows nothing of the run any more, because everything of it is on disk."""
    claim, folder = harvesting_too_slowly(bench)

    def adopt_after_that(_spec: SandboxSpec, _output: RunOutput) -> None:
        folder.end(RECORD)
        with folder.fresh_artifacts() as artifacts:
            folder.harvest(RECORD, artifacts)

    monkeypatch.setattr(bench.engine, "adopt", adopt_after_that)
    job = bench.run(bench.claim_again())
    assert (job.job_id, job.state, job.attempt) == (claim.job_id, JobState.COMPLETED, 1)
    bench.assert_nothing_left()


def test_what_fails_because_another_runner_has_the_job_is_no_failure(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No word of it in the log that the other one writes, and no dead letter."""
    claim = bench.claim(GOOD)

    def cut_off(_sandbox: ProcessSandbox, _into: Path) -> Harvest:
        bench.ledger._leases.take(claim.job_id, "somebody else", 99)
        raise FileNotFoundError("the folder of the run")

    monkeypatch.setattr(ProcessSandbox, "harvest", cut_off)
    job = bench.run(claim)
    assert job.state is JobState.RUNNING
    assert "platform failed" not in bench.log_of(job)
    assert bench.dead_letters.page().total == 0
    bench.engine.remove_leftovers(claim.job_id)


def test_a_ledger_that_is_away_at_the_end_is_told_when_it_is_back(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is not repeated for it, and the log has one last line."""
    finish, calls = bench.ledger.finish, []

    def away_at_first(claim: Claim, outcome: Outcome, result: SealedResult | None) -> Job:
        calls.append(outcome.state)
        if len(calls) < 3:
            raise Unavailable("The ledger", "it is away")
        return finish(claim, outcome, result)

    monkeypatch.setattr(bench.ledger, "finish", away_at_first)
    monkeypatch.setattr("runner.lease.lease.RETRY_SECONDS", 0.05)
    job = bench.run(bench.claim(GOOD))
    assert (job.state, job.attempt, len(calls)) == (JobState.COMPLETED, 1, 3)
    assert bench.log_of(job).count("Ended:") == 1


def test_a_ledger_that_is_away_at_the_launch_costs_no_attempt(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """REL-2: what it must know is told before anything is started."""
    note, calls = bench.ledger.note, []

    def away_at_times(claim: Claim, **changes: Any) -> None:
        calls.append(changes)
        if len(calls) % 2:
            raise Unavailable("The ledger", "it is away")
        note(claim, **changes)

    monkeypatch.setattr(bench.ledger, "note", away_at_times)
    monkeypatch.setattr("runner.lease.lease.RETRY_SECONDS", 0.05)
    job = bench.run(bench.claim(GOOD))
    assert (job.state, job.attempt, len(bench.engine.launched)) == (JobState.COMPLETED, 1, 1)


def test_a_runner_that_ends_during_the_launch_costs_no_attempt(bench: Bench[ProcessEngine]) -> None:
    """Begun on disk, unknown to the engine, nothing printed: it is run under a claim of its own."""
    first = killed_during_launch(bench)
    assert bench.run(bench.claim_again()).state is JobState.PENDING
    second = bench.claim_again()
    job = bench.run(second)
    assert (job.state, job.attempt, job.sandbox) == (JobState.COMPLETED, 1, second.mark)
    assert second.mark != first.mark
    bench.assert_nothing_left()


def test_a_started_run_that_the_engine_lost_with_its_runner_costs_an_attempt(bench: Bench[ProcessEngine]) -> None:
    """Then the submission may have run for long."""
    first = killed_during_launch(bench)
    RunFolder(path=bench.root / "jobs" / f"{first.job_id}-{first.mark}").start()
    bench.run(bench.claim_again())
    job = bench.run(bench.claim_again())
    assert (job.state, job.attempt) == (JobState.COMPLETED, 2)


RECORD = RunRecord(
    exit_code=0,
    out_of_memory=False,
    wall_seconds=1.0,
    metrics=b'{"params": {"method": "m"}, "metrics": {"image_auc": 0.5}}',
    image_digest="sha256:none",
)


def harvesting_too_slowly(bench: Bench[ProcessEngine]) -> tuple[Claim, RunFolder]:
    """A run that has ended, whose runner lost its lease before it had read everything."""
    claim = bench.claim(GOOD)
    bench.ledger.note(claim, sandbox=claim.mark)
    folder = RunFolder.make(bench.root / "jobs" / f"{claim.job_id}-{claim.mark}")
    folder.begin()
    folder.start()
    bench.ledger.presume_dead(claim.job_id, claim.mark)
    bench.sweep()
    return claim, folder


def killed_during_launch(bench: Bench[ProcessEngine]) -> Claim:
    """As a killed runner leaves it: in the ledger and on disk, with nothing in the engine; to be taken over."""
    claim = bench.claim(GOOD)
    bench.ledger.note(claim, sandbox=claim.mark)
    RunFolder.make(bench.root / "jobs" / f"{claim.job_id}-{claim.mark}").begin()
    bench.ledger.presume_dead(claim.job_id, claim.mark)
    bench.sweep()
    return claim


def test_performance_under_our_own_names_is_left_out_and_named(bench: Bench[ProcessEngine]) -> None:
    """The platform's own figure wins; where it has none, the submission's does not take its place."""
    report = '{"params": {}, "metrics": {"image_auc": 1}, "performance": {"wall_seconds": 0, "Gpu_Memory_Bytes": 1}}'
    program = f"import sys, pathlib; pathlib.Path(sys.argv[4], 'metrics.json').write_text({report!r})"
    job = bench.run(bench.claim(program))
    assert job.state == "completed", bench.log_of(job)
    assert "Gpu_Memory_Bytes, wall_seconds left out; the platform measures this itself" in bench.log_of(job)
    recorded = bench.tracking.get_run(job.run_id or "").metrics
    assert recorded["system/wall_seconds"] > 0
    assert not [name for name in recorded if "gpu" in name.lower()]
