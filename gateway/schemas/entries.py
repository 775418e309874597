"""Requests and answers about entries of boards."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from core.usecases.mark_entries import MarkedEntry
from gateway.schemas.jobs import Answer

LONGEST_SENT = 1000
"""Of a text before it is cleaned: blanks at its ends and line ends do not count."""
Text = Annotated[str, Field(max_length=LONGEST_SENT)]


class EntryChange(BaseModel):
    """What to change; fields that are left out stay as they are, and an empty text removes one."""

    model_config = ConfigDict(extra="forbid")

    title: Text | None = None
    """At most 100 characters, shown on the board below the method."""
    note: Text | None = None
    """At most 300 characters."""
    hidden: bool | None = None
    """Whether the board leaves the entry out; the ranks of others close up."""


class Reason(BaseModel):
    """Why an admin does it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_SENT)]
    """1 to 300 characters. Of a disqualification everybody reads it on the board."""


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
