"""What owners and admins do with entries of boards: title, note, hide, disqualify, restore (SCO-5)."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.entry_marks import LONGEST_NOTE, LONGEST_REASON, LONGEST_TITLE, EntryMarks, cleaned
from core.domain.errors import Conflict, InvalidInput
from core.domain.job import Job, JobState
from core.domain.user import User
from core.ports.entry_marks import EntryMarksPort
from core.ports.job_status import JobStatusPort
from core.usecases.jobs import visible_job

NO_ENTRY = "This job is on no board: only a completed job that is no trial has an entry."


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkedEntry:
    """The job of an entry, and what is said about it."""

    job: Job
    marks: EntryMarks


@dataclass(frozen=True, kw_only=True, slots=True)
class GetEntry:
    """Raises NotFound, Conflict (the job has no entry), Unavailable."""

    job_status: JobStatusPort
    marks: EntryMarksPort

    def __call__(self, user: User, job_id: str) -> MarkedEntry:
        job = entry_job(visible_job(self.job_status, user, job_id))
        return MarkedEntry(job=job, marks=self.marks.get(job.benchmark, job_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeEntry:
    """Sets title, note or whether the entry is hidden. Raises InvalidInput, NotFound, Conflict, Unavailable."""

    job_status: JobStatusPort
    marks: EntryMarksPort

    def __call__(
        self, user: User, job_id: str, *, title: str | None = None, note: str | None = None, hidden: bool | None = None
    ) -> MarkedEntry:
        job = entry_job(visible_job(self.job_status, user, job_id))
        changed: dict[str, str | bool] = {}
        if title is not None:
            changed["title"] = cleaned("title", title, LONGEST_TITLE)
        if note is not None:
            changed["note"] = cleaned("note", note, LONGEST_NOTE)
        if hidden is not None:
            changed["is_hidden"] = hidden
        return MarkedEntry(job=job, marks=self.marks.put(job.benchmark, job_id, **changed))


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeEntry:
    """What only admins do; the caller checks that. Raises InvalidInput, NotFound, Conflict, Unavailable."""

    job_status: JobStatusPort
    marks: EntryMarksPort

    def disqualify(self, job_id: str, reason: str) -> MarkedEntry:
        """Take the entry out of the ranks; the board shows it last, with this reason."""
        return self._put(job_id, disqualified_because=_reason(reason))

    def restore(self, job_id: str, reason: str) -> MarkedEntry:
        """Rank it again. The reason is for the audit trail. Raises Conflict if it is not disqualified."""
        _reason(reason)
        job = entry_job(self.job_status.get(job_id))
        if not self.marks.get(job.benchmark, job_id).is_disqualified:
            raise Conflict("This entry is not disqualified, so there is nothing to restore.")
        return self._put(job_id, disqualified_because="")

    def baseline(self, job_id: str, *, pinned: bool) -> MarkedEntry:
        """Show the entry as a baseline, in its place and counted in no rank, or rank it again."""
        return self._put(job_id, is_baseline=pinned)

    def _put(self, job_id: str, **changed: str | bool) -> MarkedEntry:
        job = entry_job(self.job_status.get(job_id))
        return MarkedEntry(job=job, marks=self.marks.put(job.benchmark, job_id, **changed))


def entry_job(job: Job) -> Job:
    """The job, if it has an entry. Raises Conflict."""
    if job.state is not JobState.COMPLETED or job.trial:
        raise Conflict(NO_ENTRY)
    return job


def _reason(text: str) -> str:
    reason = cleaned("reason", text, LONGEST_REASON)
    if not reason:
        raise InvalidInput.of("reason", "is empty; write why, for the entry's owner and the audit trail")
    return reason
