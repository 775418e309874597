"""Finding and removing old data: in the ledger, in the folders, on the tracking server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from core.domain.retention import OldRun


class OldRecordsPort(Protocol):
    """Old records in the ledger. All methods raise Unavailable."""

    def expired(self, before: datetime, *, limit: int) -> Sequence[str]:
        """Jobs that ended before this time, oldest first, without pinned ones."""
        ...

    def forget(self, job_id: str) -> None:
        """Remove the record of an ended, unpinned job, and its entry in every list."""
        ...

    def trim(self, before: datetime) -> int:
        """Remove older list entries that have no record any more. Returns how many."""
        ...

    def needed_submissions(self, since: datetime) -> Collection[str]:
        """Submissions of jobs that wait, run, are pinned, or are newer than `since`."""
        ...

    def known(self, job_ids: Sequence[str]) -> Collection[str]:
        """Those of these jobs that have a record."""
        ...

    def pin(self, job_id: str) -> None:
        """Keep an ended job and everything that belongs to it. Raises NotFound, NotFinished."""
        ...

    def unpin(self, job_id: str) -> None:
        """Let a job expire again, at the usual time after its end. Raises NotFound."""
        ...

    def keep_all(self) -> int:
        """Remove the expiry from all records, results and their entries. Returns how many records had one."""
        ...

    def pinned(self) -> Collection[str]:
        """The pinned jobs."""
        ...


class OldFilesPort(Protocol):
    """Old files in the folders. All methods raise Unavailable."""

    def old_submissions(self, before: datetime, *, limit: int) -> Sequence[str]:
        """Submissions uploaded before this time."""
        ...

    def old_logs(self, before: datetime, *, limit: int) -> Sequence[str]:
        """Jobs whose logs were last written before this time."""
        ...

    def put_aside(self, submission_id: str) -> bool:
        """Make a submission invisible, to be removed or put back. Returns False if it is gone."""
        ...

    def left_aside(self) -> Sequence[str]:
        """Submissions that were put aside and neither removed nor put back: their process ended or is still at work."""
        ...

    def put_back(self, submission_id: str) -> None:
        """Make a submission visible again, unchanged."""
        ...

    def remove_aside(self, submission_id: str) -> None:
        """Remove a submission that was put aside, and its entry in every list."""
        ...

    def remove_log(self, job_id: str) -> None:
        """Remove a job's log; nothing happens if it is gone."""
        ...


class OldRunsPort(Protocol):
    """Old runs at the tracking server. All methods raise Unavailable."""

    def old_runs(self, before: datetime, *, limit: int) -> Sequence[OldRun]:
        """Runs of ours that ended before this time."""
        ...

    def remove_run(self, run: OldRun) -> None:
        """Remove a run: its files first, then the run."""
        ...
