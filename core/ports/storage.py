"""Where submissions and logs live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from core.domain.submission import Submission, SubmissionSummary, Upload


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSlice:
    """A piece of a log: its text without marks, and the byte offsets after and before it."""

    text: str
    next_offset: int
    platform: tuple[tuple[int, int], ...] = ()
    """Where in the text the platform speaks, and no run: half-open ranges of code points, in order, never touching."""
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmissionPage:
    """Some submissions, newest first, and where the next page begins (None at the end)."""

    submissions: Sequence[SubmissionSummary]
    next_cursor: str | None


class StoragePort(Protocol):
    """Submissions, all or nothing, and the logs of jobs."""

    def create_submission(self, upload: Upload, metadata: Mapping[str, Any]) -> Submission:
        """Store an upload whose names were checked; visible only when complete.

        Raises InvalidInput (broken or hostile archive, missing entrypoint), TooLarge, StorageFull, Unavailable. After
        any of them nothing of the upload is left.
        """
        ...

    def get_submission(self, submission_id: str) -> Submission:
        """Raises NotFound, Unavailable."""
        ...

    def list_submissions(
        self, *, user_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> SubmissionPage:
        """Newest first, of one user or all. Raises InvalidInput for a cursor that is none of ours, Unavailable."""
        ...

    def submission_archive(self, submission_id: str) -> Iterator[bytes]:
        """The submission's own files as a tar.gz, piece by piece. Raises NotFound before the first piece."""
        ...

    def submission_files(self, submission_id: str) -> Path:
        """The folder that holds the submission's own files. Raises NotFound."""
        ...

    def read_log(self, job_id: str, *, tail_lines: int = 1000) -> LogSlice:
        """The last lines of a job's log; an empty text while there is none. Raises Unavailable."""
        ...

    def read_log_from(self, job_id: str, offset: int, *, max_bytes: int = 1024 * 1024) -> LogSlice:
        """What came after byte `offset` (at most `max_bytes` of it). Raises Unavailable."""
        ...

    def clear_staging(self) -> int:
        """Remove what uploads left that broke off with their process; how many. Never what still lives."""
        ...

    def check_room(self) -> None:
        """Raises StorageFull when the disk is too full for an upload, Unavailable."""
        ...

    def check(self) -> None:
        """Raises Unavailable when the storage cannot be used."""
        ...
