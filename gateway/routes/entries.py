"""Routes for entries of boards: what their owners say about them, and what admins decide."""

from __future__ import annotations

from fastapi import APIRouter

from core.usecases.mark_entries import ChangeEntry, GetEntry, JudgeEntry
from core.wiring import Ports
from gateway.dependencies import CurrentAdmin, CurrentUser, PortsPart
from gateway.schemas.entries import EntryChange, EntryView, Reason
from gateway.schemas.jobs import JobId

router = APIRouter()


@router.get("/jobs/{job_id}/entry", tags=["board"])
def entry(job_id: JobId, user: CurrentUser, ports: PortsPart) -> EntryView:
    """Title, note and state of a job's entry on its board. 409 for a job that has none."""
    usecase = GetEntry(job_status=ports.job_status, marks=ports.entry_marks)
    return EntryView.of(usecase(user, job_id))


@router.patch("/jobs/{job_id}/entry", tags=["board"])
def change_entry(job_id: JobId, change: EntryChange, user: CurrentUser, ports: PortsPart) -> EntryView:
    """Give your entry a title or a note, hide it from its board, or show it again. Nothing is deleted.

    Control and other invisible characters are written as `‹U+200B›`, line ends as blanks.
    """
    usecase = ChangeEntry(job_status=ports.job_status, marks=ports.entry_marks)
    return EntryView.of(usecase(user, job_id, title=change.title, note=change.note, hidden=change.hidden))


@router.post("/admin/entries/{job_id}/disqualify", tags=["admin"])
def disqualify(job_id: JobId, why: Reason, _admin: CurrentAdmin, ports: PortsPart) -> EntryView:
    """Take an entry out of the ranks. The board shows it last, without a rank, with the reason."""
    return EntryView.of(_judging(ports).disqualify(job_id, why.reason))


@router.post("/admin/entries/{job_id}/restore", tags=["admin"])
def restore_entry(job_id: JobId, why: Reason, _admin: CurrentAdmin, ports: PortsPart) -> EntryView:
    """Rank a disqualified entry again; the reason goes into the audit trail. 409 if it is not disqualified."""
    return EntryView.of(_judging(ports).restore(job_id, why.reason))


@router.post("/admin/entries/{job_id}/baseline", tags=["admin"])
def pin_baseline(job_id: JobId, _admin: CurrentAdmin, ports: PortsPart) -> EntryView:
    """Show an entry as a baseline: it stands in the place of its value without a rank, and no rank counts it."""
    return EntryView.of(_judging(ports).baseline(job_id, pinned=True))


@router.delete("/admin/entries/{job_id}/baseline", tags=["admin"])
def unpin_baseline(job_id: JobId, _admin: CurrentAdmin, ports: PortsPart) -> EntryView:
    """Rank the entry like every other again."""
    return EntryView.of(_judging(ports).baseline(job_id, pinned=False))


def _judging(ports: Ports) -> JudgeEntry:
    return JudgeEntry(job_status=ports.job_status, marks=ports.entry_marks)
