"""Storage of submissions and logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from core.domain.submission import LookInside, Submission, SubmissionSummary, Upload, not_looked_at


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSlice:
    """A piece of a log: its text without marks, and the byte offsets before and after it."""

    text: str
    next_offset: int
    platform: tuple[tuple[int, int], ...] = ()
    """The parts of the text written by the platform: half-open ranges of code points, in order, never adjacent."""
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmissionPage:
    """Some submissions, newest first, and the cursor of the next page (None at the end)."""

    submissions: Sequence[SubmissionSummary]
    next_cursor: str | None


class StoragePort(Protocol):
    """Submissions, stored completely or not at all, and the logs of jobs."""

    def create_submission(
        self, upload: Upload, metadata: Mapping[str, Any], look_inside: LookInside = not_looked_at
    ) -> Submission:
        """Store an upload whose names were checked; it becomes visible only when complete.

        Raises InvalidInput (broken or hostile archive, missing entrypoint, faults found by `look_inside`), TooLarge,
        StorageFull, Unavailable. After any of them nothing of the upload is left.
        """
        ...

    def get_submission(self, submission_id: str) -> Submission:
        """Raises NotFound, Unavailable."""
        ...

    def list_submissions(
        self, *, user_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> SubmissionPage:
        """Newest first, of one user or of all. Raises InvalidInput for an invalid cursor, Unavailable."""
        ...

    def submission_archive(self, submission_id: str) -> Iterator[bytes]:
        """The submission's own files as a tar.gz, piece by piece. Raises NotFound before the first piece."""
        ...

    def submission_files(self, submission_id: str) -> Path:
        """The folder with the submission's own files. Raises NotFound."""
        ...

    def read_log(self, job_id: str, *, tail_lines: int = 1000) -> LogSlice:
        """The last lines of a job's log; an empty text if there is no log yet. Raises Unavailable."""
        ...

    def read_log_from(self, job_id: str, offset: int, *, max_bytes: int = 1024 * 1024) -> LogSlice:
        """The log from byte `offset` on, at most `max_bytes`. Raises Unavailable."""
        ...

    def clear_staging(self) -> int:
        """Remove what interrupted uploads left, never what is still being uploaded. Returns the number removed."""
        ...

    def check_room(self) -> None:
        """Raises StorageFull if the disk is too full for an upload, Unavailable."""
        ...

    def check(self) -> None:
        """Raises Unavailable if the storage cannot be used."""
        ...
