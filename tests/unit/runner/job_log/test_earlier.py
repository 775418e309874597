"""Logs of a job id that was given again, since an older ledger was restored: set aside, never mixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters.files.old_files import EARLIER, OldFiles
from core.domain.errors import LeaseLost
from core.domain.job import Job, JobState
from core.domain.job_log import MARK, OWN, SIGN
from runner.job_log.earlier import set_earlier_aside
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.unit


def set_aside(runner: TwinRunner[ProcessEngine]) -> list[str]:
    """Their text, without what marks the platform's lines."""
    found = (runner.root / "logs" / EARLIER).glob("*")
    return [path.read_bytes().replace(SIGN, b"").decode() for path in found]


def test_a_job_posted_again_after_a_restore_has_a_log_and_a_run_of_its_own(runner: TwinRunner[ProcessEngine]) -> None:
    """The ledger is as it was before the job was posted."""
    claim = runner.claim(GOOD)
    first = runner.run(claim)
    old = runner.log_of(first)
    runner.ledger = MemoryJobStatus(_name=runner.site)
    second = runner.run(runner.claim_posted(claim.job))
    assert (second.job_id, second.state) == (first.job_id, JobState.COMPLETED)
    assert second.run_id != first.run_id
    assert runner.log_of(second).count("hello from the run") == 1
    assert set_aside(runner) == [old]


def test_a_log_of_a_job_that_waited_when_the_ledger_was_copied_is_set_aside(runner: TwinRunner[ProcessEngine]) -> None:
    """It ran since, and runs once more."""
    claim = runner.claim(GOOD)
    first = runner.run(claim)
    runner.ledger.restore(replace(first, state=JobState.PENDING, attempt=0, run_id=None, sandbox=None, logged=False))
    second = runner.run(runner.claim_again())
    assert runner.log_of(second).count("Ended: completed") == 1
    assert len(set_aside(runner)) == 1


def test_a_log_with_an_end_is_of_no_job_that_begins(runner: TwinRunner[ProcessEngine]) -> None:
    """The copy of the ledger has it running: its run and its folder have gone since."""
    claim = runner.claim(GOOD)
    first = runner.run(claim)
    runner.ledger.restore(replace(first, state=JobState.PENDING, attempt=0, run_id=None, sandbox="gone", logged=True))
    second = runner.run(runner.claim_again())
    assert second.state is JobState.COMPLETED
    assert runner.log_of(second).count("Ended: completed") == 1


def test_the_log_of_an_attempt_that_was_handed_back_stays(runner: TwinRunner[ProcessEngine]) -> None:
    """It is this job's, whether or not the attempt counted, and so is one that a version without the record began."""
    claim = runner.claim(GOOD)
    runner.stopping.set()
    assert runner.run(claim).state is JobState.PENDING
    runner.stopping.clear()
    job = runner.run(runner.claim_again())
    assert "another one runs the job" in runner.log_of(job)
    assert "hello from the run" in runner.log_of(job)
    assert set_aside(runner) == []


def test_nothing_is_set_aside_for_a_job_that_was_lost(runner: TwinRunner[ProcessEngine]) -> None:
    """The ledger is asked first: the log may be another runner's by now."""
    claim = runner.claim(GOOD)
    (runner.root / "logs" / f"{claim.job_id}.log").write_text("of another\n")
    runner.ledger.presume_dead(claim.job_id, claim.mark)
    runner.run(claim)
    assert set_aside(runner) == []
    with pytest.raises(LeaseLost):
        runner.ledger.note(claim, logged=True)


def test_retention_removes_earlier_logs_with_the_log(runner: TwinRunner[ProcessEngine], tmp_path: Path) -> None:
    claim = runner.claim(GOOD)
    runner.run(claim)
    runner.ledger = MemoryJobStatus(_name=runner.site)
    runner.run(runner.claim_posted(claim.job))
    OldFiles(upload_root=tmp_path / "submissions", log_root=tmp_path / "logs").remove_log(claim.job_id)
    assert set_aside(runner) == []
    assert not (tmp_path / "logs" / f"{claim.job_id}.log").exists()


@pytest.mark.parametrize(
    ("begins", "ends", "aside"),
    [(MARK, MARK, True), (MARK, OWN.encode(), False), (OWN.encode(), OWN.encode(), True), (OWN.encode(), MARK, True)],
    ids=["marked", "printed by the run", "of an earlier version", "begun by one"],
)
def test_only_the_platforms_own_end_ends_a_log(
    runner: TwinRunner[ProcessEngine], begins: bytes, ends: bytes, *, aside: bool
) -> None:
    """A run that prints such a line hides no log of an attempt; logs of versions without marks are known as well."""
    job: Job = replace(runner.claim(GOOD).job, logged=True, attempt=2)
    log = runner.root / "logs" / f"{job.job_id}.log"
    log.write_bytes(begins + b"Attempt 1\n" + ends + b"Ended: completed\n")
    assert set_earlier_aside(log, job, resumed=False) is aside
