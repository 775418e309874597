"""What an owner may do with a job, and what a stranger sees of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import Conflict, NotFound
from core.domain.job import JobState, Outcome
from core.domain.limits import UserLimits
from core.usecases.get_job_results import GetJobResults
from core.usecases.jobs import CancelJob, GetJobStatus, ListJobs, ReadJobLog
from tests.builders import job_id
from tests.unit.core.usecase_site import ADA, BOB, ROOT, Site

pytestmark = pytest.mark.unit


def test_only_the_owner_and_admins_see_a_job(site: Site) -> None:
    """JOB-10: status, log, results and cancel answer a stranger as if there were no such job."""
    mine = site.finish()
    ledger, storage = site.ports.job_status, site.ports.storage
    for ask in (
        GetJobStatus(job_status=ledger),
        lambda user, found: ReadJobLog(job_status=ledger, storage=storage)(user, found, tail_lines=9, offset=None),
        GetJobResults(
            job_status=ledger,
            results=site.ports.results,
            tracking=site.ports.tracking,
            mlflow_url="",
            trial_files=site.ports.trial_files,
        ),
    ):
        ask(ADA, mine)
        ask(ROOT, mine)
        for found in (mine, job_id(77)):
            with pytest.raises(NotFound):
                ask(BOB, found)
    with pytest.raises(NotFound):
        CancelJob(job_status=ledger)(BOB, mine)


def test_only_a_pending_job_has_a_place_in_the_queue(site: Site) -> None:
    """JOB-5: 1 is next; None once it runs."""
    first = site.enqueue().job.job_id
    second = site.enqueue(config={"n": 1}).job.job_id
    status = GetJobStatus(job_status=site.ports.job_status)
    assert (status(ADA, first).queue_position, status(ADA, second).queue_position) == (1, 2)
    site.run()
    assert status(ADA, first).queue_position is None


def test_a_list_is_ones_own_and_an_admins_has_all(site: Site) -> None:
    """JOB-8: newest first."""
    mine = site.enqueue().job.job_id
    roots = site.enqueue(ROOT).job.job_id
    listing = ListJobs(job_status=site.ports.job_status)
    found = {
        (user.user_id, benchmark): [
            item.job.job_id for item in listing(user, state=None, benchmark=benchmark, limit=9, cursor=None).standings
        ]
        for user in (ADA, BOB, ROOT)
        for benchmark in (None, "other")
    }
    assert found == {
        ("ada", None): [mine], ("bob", None): [], ("root", None): [roots, mine],
        ("ada", "other"): [], ("bob", "other"): [], ("root", "other"): [],
    }  # fmt: skip


def test_a_pending_job_is_cancelled_and_a_running_one_marked(site: Site) -> None:
    """JOB-8: cancelled at once, or as soon as its runner sees it; an ended job is a Conflict."""
    cancel = CancelJob(job_status=site.ports.job_status)
    pending = site.enqueue().job.job_id
    assert cancel(ADA, pending).job.state is JobState.CANCELLED
    running = site.enqueue(config={"n": 1}).job.job_id
    site.run()
    assert cancel(ADA, running).job.state is JobState.RUNNING
    assert cancel(ADA, running).job.cancel_requested
    ended = site.enqueue(config={"n": 2}, limits=UserLimits(queue_when_over=True)).job.job_id
    site.ports.job_status.finish(site.run(), Outcome(state=JobState.FAILED))
    with pytest.raises(Conflict):
        cancel(ADA, ended)


def test_a_log_is_read_from_its_end_or_from_a_byte(site: Site, tmp_path: Path) -> None:
    """JOB-6: offset 0 is an offset, too."""
    mine = site.enqueue().job.job_id
    read = ReadJobLog(job_status=site.ports.job_status, storage=site.ports.storage)
    assert read(ADA, mine, tail_lines=5, offset=None).text == ""
    (tmp_path / "logs" / f"{mine}.log").write_bytes(b"a\nb\nc\n")
    assert read(ADA, mine, tail_lines=1, offset=None).text == "c\n"
    assert read(ADA, mine, tail_lines=1, offset=0).text == "a\nb\nc\n"
    assert read(ADA, mine, tail_lines=1, offset=4).text == "c\n"
