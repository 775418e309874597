"""An index of submissions by user and time: small files in folders by hour; a page costs what it lists (SUB-7).

The submissions themselves are the truth: an entry without its submission is ignored, and a lost index is rebuilt from
them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from core.domain.errors import InvalidInput
from core.domain.submission import Submission, SubmissionSummary
from core.ports.storage import SubmissionPage

EVERYBODY = "everybody"
HOUR = "%Y%m%d%H"
_NAME = re.compile(r"[0-9]{20}-[0-9a-f]{32}")


class SubmissionIndex:
    """One folder per user and one for all; in each a folder per hour, with a file per submission."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def exists(self) -> bool:
        return self._root.is_dir()

    def add(self, submission: Submission) -> None:
        """Add the entry, before its submission becomes visible, so that no submission is ever without its entry."""
        text = json.dumps(_record(submission))
        for path in self._paths(submission.user_id, submission.created_at, submission.submission_id):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(text)
            fresh.rename(path)

    def remove(self, user_id: str, created_at: datetime, submission_id: str) -> None:
        for path in self._paths(user_id, created_at, submission_id):
            path.unlink(missing_ok=True)
            path.with_suffix(".new").unlink(missing_ok=True)
            with suppress(OSError):  # other entries are in the folder
                path.parent.rmdir()

    def page(self, user_id: str | None, *, limit: int, cursor: str | None, root: Path) -> SubmissionPage:
        """Newest first, only submissions that exist below `root`. Raises InvalidInput for an invalid cursor."""
        if cursor is not None and not _NAME.fullmatch(cursor):
            raise InvalidInput.of("cursor", "is not one that this list gave out")
        found: list[Path] = []
        for path in self._newest_first(user_id, cursor):
            if (root / path.name[-32:]).is_dir():
                found.append(path)
            if len(found) > limit:
                break
        more = found[limit - 1].name if len(found) > limit else None
        return SubmissionPage(submissions=tuple(_summaries(found[:limit])), next_cursor=more)

    def _newest_first(self, user_id: str | None, cursor: str | None) -> Iterator[Path]:
        folder = self._root / (_folder_name(user_id) if user_id else EVERYBODY)
        before = cursor or "9"
        for hour in _names(folder):
            if hour <= before[:10]:
                yield from (folder / hour / name for name in _names(folder / hour) if name < before)

    def _paths(self, user_id: str, created_at: datetime, submission_id: str) -> Iterable[Path]:
        name = f"{created_at:%Y%m%d%H%M%S%f}-{submission_id}"
        return [self._root / who / created_at.strftime(HOUR) / name for who in (EVERYBODY, _folder_name(user_id))]


def _names(folder: Path) -> list[str]:
    try:
        return sorted((path.name for path in folder.iterdir() if path.suffix != ".new"), reverse=True)
    except FileNotFoundError:
        return []


def _folder_name(user_id: str) -> str:
    """Hash of a user's name, which is not safe as a folder's name: it may have any case and come from any issuer."""
    return hashlib.sha256(user_id.encode()).hexdigest()[:32]


def _summaries(paths: Iterable[Path]) -> Iterator[SubmissionSummary]:
    for path in paths:
        with suppress(FileNotFoundError):  # removed a moment ago
            record = json.loads(path.read_text())
            yield SubmissionSummary(**{**record, "created_at": datetime.fromisoformat(record["created_at"])})


def _record(submission: Submission) -> dict[str, str | int]:
    return {
        "submission_id": submission.submission_id,
        "user_id": submission.user_id,
        "entrypoint": submission.entrypoint,
        "config_file": submission.config_file,
        "sha256": submission.sha256,
        "created_at": submission.created_at.isoformat(),
        "file_count": len(submission.files),
        "size_bytes": sum(file.size_bytes for file in submission.files),
    }
