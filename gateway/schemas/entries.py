"""Requests and answers about entries of boards."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from core.domain.entry_marks import LONGEST_NOTE, LONGEST_REASON, LONGEST_TITLE
from core.usecases.mark_entries import MarkedEntry
from gateway.schemas.jobs import Answer

NO_NUL = r"^[^\u0000]*$"


class EntryChange(BaseModel):
    """What to change; fields that are left out stay as they are, and an empty text removes one."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(max_length=LONGEST_TITLE, pattern=NO_NUL)] | None = None
    """Shown on the board below the method."""
    note: Annotated[str, Field(max_length=LONGEST_NOTE, pattern=NO_NUL)] | None = None
    hidden: bool | None = None
    """Whether the board leaves the entry out; the ranks of others close up."""


class Reason(BaseModel):
    """Why an admin does it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, pattern=r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    """Of a disqualification everybody reads it on the board."""


class EntryView(Answer):
    """What is said about an entry since its run has ended; no value of it."""

    job_id: str
    user_id: str
    benchmark: str
    title: str
    note: str
    hidden: bool
    disqualified_because: str | None
    """An admin's reason; null for an entry that counts. A disqualified entry is shown even when it is hidden."""
    baseline: bool
    """Shown in the place of its value, without a rank."""

    @classmethod
    def of(cls, entry: MarkedEntry) -> Self:
        marks, job = entry.marks, entry.job
        return cls(
            job_id=job.job_id,
            user_id=job.user_id,
            benchmark=job.benchmark,
            title=marks.title,
            note=marks.note,
            hidden=marks.is_hidden,
            disqualified_because=marks.disqualified_because or None,
            baseline=marks.is_baseline,
        )
