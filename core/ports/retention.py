"""Finding and removing what is old: in the ledger, in the folders, on the tracking server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.domain.retention import OldRun


class OldRecordsPort(Protocol):
    """The ledger's side. All methods raise Unavailable."""

    def expired(self, before: datetime, *, limit: int) -> Sequence[str]:
        """Jobs that ended before, oldest first, without those that are pinned."""
        ...

    def forget(self, job_id: str) -> None:
        """Remove the record of an ended job that is not pinned, and its place in every list."""
        ...

    def trim(self, before: datetime) -> int:
        """Remove from the lists what is older and has no record any more; how many entries that were."""
        ...

    def needed_submissions(self, since: datetime) -> Collection[str]:
        """Submissions of jobs that wait, run, are pinned, or are not older."""
        ...

    def known(self, job_ids: Sequence[str]) -> Collection[str]:
        """Those that have a record."""
        ...

    def owners(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        """Of runs that the platform began at the tracking server: of which job each is. Others are left out."""
        ...

    def pin(self, job_id: str) -> None:
        """Keep an ended job with everything of it. Raises NotFound, NotFinished."""
        ...

    def unpin(self, job_id: str) -> None:
        """It goes at its time, counted from its end, where anything goes. Raises NotFound."""
        ...

    def keep_all(self) -> int:
        """Let no record end by itself any more, nor a result or an entry in it; how many would have."""
        ...

    def pinned(self) -> Collection[str]:
        """The jobs that are kept."""
        ...


class OldFilesPort(Protocol):
    """The folders' side. All methods raise Unavailable."""

    def old_submissions(self, before: datetime, *, limit: int) -> Sequence[str]:
        """Submissions that were uploaded before."""
        ...

    def old_logs(self, before: datetime, *, limit: int) -> Sequence[str]:
        """Jobs whose logs were written to last before."""
        ...

    def put_aside(self, submission_id: str) -> bool:
        """Make it invisible, to be removed or put back; False when it is gone."""
        ...

    def left_aside(self) -> Sequence[str]:
        """What was put aside and neither removed nor put back: its process ended, or is at it."""
        ...

    def put_back(self, submission_id: str) -> None:
        """Visible again, as it was."""
        ...

    def remove_aside(self, submission_id: str) -> None:
        """Gone, with its place in every list."""
        ...

    def remove_log(self, job_id: str) -> None:
        """Nothing happens when it is gone."""
        ...


class OldRunsPort(Protocol):
    """The tracking server's side. All methods raise Unavailable."""

    def old_runs(self, before: datetime, *, limit: int) -> Sequence[OldRun]:
        """Runs of ours that ended before."""
        ...

    def remove_run(self, run: OldRun) -> None:
        """Its files, then the run."""
        ...
