"""A failed step of the platform, kept for an admin: what, where and how often; no values, no secrets."""

from __future__ import annotations

import hashlib
import traceback
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

MOST_KEPT = 1000
KEPT_DAYS = 90
FRAMES = 30
TEXT_CHARACTERS = 1000


class Failure(BaseModel):
    """One failure, as reported by the process in which it happened."""

    model_config = ConfigDict(frozen=True)

    step: Annotated[str, StringConstraints(max_length=100)]
    error: Annotated[str, StringConstraints(max_length=100)]
    message: Annotated[str, StringConstraints(max_length=TEXT_CHARACTERS)]
    frames: tuple[str, ...] = ()
    """The calls that led to it, outermost first: file, line and function of each, without values."""
    process: Annotated[str, StringConstraints(max_length=200)] = ""
    job_id: str | None = None
    user_id: str | None = None
    attempt: int | None = None

    @property
    def letter_id(self) -> str:
        """Equal for equal failures of the same job, so a failure that repeats is one letter with a count."""
        parts = [self.step, self.error, self.job_id or "", *self.frames[-3:]]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class DeadLetter(BaseModel):
    """A failure as stored, with its count."""

    model_config = ConfigDict(frozen=True)

    letter_id: str
    failure: Failure
    count: int
    first_at: datetime
    last_at: datetime


def failure_of(
    step: str,
    error: BaseException,
    *,
    process: str = "",
    job_id: str | None = None,
    user_id: str | None = None,
    attempt: int | None = None,
) -> Failure:
    """`error` as it may be stored: its type, its text and where it was raised."""
    return Failure(
        step=step[:100],
        error=type(error).__name__[:100],
        message=str(error)[:TEXT_CHARACTERS],
        frames=_frames(error),
        process=process[:200],
        job_id=job_id,
        user_id=user_id,
        attempt=attempt,
    )


def _frames(error: BaseException) -> tuple[str, ...]:
    """Leaves out the source lines: they could contain a secret, and the version identifies the source."""
    found = traceback.extract_tb(error.__traceback__)
    cause = error.__cause__
    earlier = (*_frames(cause), f"… raised {type(cause).__name__}, which led to") if cause is not None else ()
    lines = [f"{'/'.join(Path(item.filename).parts[-3:])}:{item.lineno} in {item.name}" for item in found]
    return (*earlier, *lines)[-FRAMES:]
