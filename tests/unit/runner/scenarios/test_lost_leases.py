"""A runner loses its lease while it holds a run: the run goes on with its new holder."""

from __future__ import annotations

import threading
import time

import pytest

from core.domain.errors import Unavailable
from core.domain.job import Claim, JobState
from core.domain.verdict import RunRecord
from core.ports.sandbox import RunOutput, SandboxSpec
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, jobs_in, when

pytestmark = [pytest.mark.unit, pytest.mark.slow]


def test_a_lost_lease_leaves_the_run_to_its_new_holder(runner: TwinRunner[ProcessEngine]) -> None:
    """Whoever holds the job now watches the container: this runner touches nothing of it any more."""
    claim = runner.claim("import time; print('begun'); time.sleep(60)")
    begun = lambda: "begun" in runner.storage.read_log(claim.job_id).text  # noqa: E731
    thief = when(begun, lambda: runner.ledger._leases.take(claim.job_id, "somebody else", 99))
    job = runner.run(claim)
    thief.join()
    assert job.state is JobState.RUNNING
    assert jobs_in(runner.engine) == {claim.job_id}
    assert (runner.root / "jobs" / f"{claim.job_id}-{claim.mark}" / "begun").exists()
    runner.engine.remove_leftovers(claim.job_id)


def test_a_runner_that_lost_its_lease_leaves_its_successor_alone(runner: TwinRunner[ProcessEngine]) -> None:
    """Both live for a while: the run is one, its log has every line once, and the late one's word does not count."""
    late = runner.claim("import time\nfor n in range(20): print('line', n, flush=True); time.sleep(0.1)\n" + GOOD)
    late_runner = threading.Thread(target=runner.run, args=(late,))
    late_runner.start()
    begun = time.monotonic() + 120
    while "line 2" not in runner.storage.read_log(late.job_id).text and time.monotonic() < begun:
        time.sleep(0.01)
    runner.ledger._leases.take(late.job_id, late.token, -1.0)
    runner.ledger.sweep(max_attempts=3, host="here")
    job = runner.run(runner.claim_again())
    late_runner.join()
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    lines = [line for line in runner.log_of(job).splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(20)]


def test_an_outage_of_the_ledger_that_outlasts_the_lease_leaves_the_run_to_its_new_holder(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever claims it first after that reads what the run left: nothing of it has been cleared away."""
    claim = runner.claim("print('begun')\n" + GOOD)
    begun = lambda: "begun" in runner.storage.read_log(claim.job_id).text  # noqa: E731
    renew, until = runner.ledger.renew, time.monotonic() + 1.0

    def away_for_a_while(held: Claim, *, lease_seconds: float) -> bool:
        if begun() and time.monotonic() < until:
            raise Unavailable("The ledger", "it is away")
        if begun():
            runner.ledger._leases.take(claim.job_id, "somebody else", 99)
        return renew(held, lease_seconds=lease_seconds)

    monkeypatch.setattr(runner.ledger, "renew", away_for_a_while)
    monkeypatch.setattr("runner.lease.lease.RETRY_SECONDS", 0.05)
    assert runner.run(claim).state is JobState.RUNNING
    assert jobs_in(runner.engine) == {claim.job_id}
    assert RunFolder(path=runner.root / "jobs" / f"{claim.job_id}-{claim.mark}").harvested() is None
    runner.engine.remove_leftovers(claim.job_id)


def test_what_a_slower_runner_reads_while_another_takes_its_run_over_counts(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine knows nothing of the run any more, because everything of it is on disk."""
    claim, folder = harvesting_too_slowly(runner)

    def adopt_after_that(_spec: SandboxSpec, _output: RunOutput) -> None:
        folder.end(RECORD)
        with folder.fresh_artifacts() as artifacts:
            folder.harvest(RECORD, artifacts)

    monkeypatch.setattr(runner.engine, "adopt", adopt_after_that)
    job = runner.run(runner.claim_again())
    assert (job.job_id, job.state, job.attempt) == (claim.job_id, JobState.COMPLETED, 1)
    runner.assert_nothing_left()


RECORD = RunRecord(
    exit_code=0,
    out_of_memory=False,
    wall_seconds=1.0,
    metrics=b'{"params": {"method": "m"}, "metrics": {"image_auc": 0.5}}',
    image_digest="sha256:none",
)


def harvesting_too_slowly(runner: TwinRunner[ProcessEngine]) -> tuple[Claim, RunFolder]:
    """A run that has ended, whose runner lost its lease before it had read everything."""
    claim = runner.claim(GOOD)
    runner.ledger.note(claim, sandbox=claim.mark)
    folder = RunFolder.make(runner.root / "jobs" / f"{claim.job_id}-{claim.mark}")
    folder.begin()
    folder.start()
    runner.ledger.presume_dead(claim.job_id, claim.mark)
    runner.sweep()
    return claim, folder
