"""What has become old enough to go, and what was removed (RUN-7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OldRun:
    """A recorded run of ours; `folder` is where its files lie on the tracking server."""

    run_id: str
    experiment_id: str
    job_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Expired:
    """What one round removes or would remove; bounded, so an old site takes several rounds."""

    before: datetime
    jobs: Sequence[str] = ()
    submissions: Sequence[str] = ()
    logs: Sequence[str] = ()
    """Of which jobs."""
    runs: Sequence[OldRun] = ()
    trimmed: int = 0
    """Entries of lists whose job's record is gone."""
    hindered: bool = False
    """Something of it stayed because a part was away."""

    @property
    def is_empty(self) -> bool:
        return not (self.jobs or self.submissions or self.logs or self.runs or self.trimmed)
