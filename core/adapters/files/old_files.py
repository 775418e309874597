"""Old submissions and logs; a submission is put aside by one rename before it is removed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from core.adapters.files.site_folders import SiteFolders
from core.adapters.files.submission_index import SubmissionIndex
from core.adapters.files.submission_record import submission_from
from core.domain.errors import Unavailable

ASIDE = ".expired"
EARLIER = ".earlier"
"""Folder below the logs for logs of jobs that a restored ledger did not know; named by the id that was reused."""
RECORD = "metadata.json"
BY_USER = ".by-user"
_ID = re.compile(r"[0-9a-f]{32}")


class OldFiles:
    """OldFilesPort on the folders that FilesystemStorage keeps."""

    def __init__(self, *, upload_root: Path, log_root: Path, folders: SiteFolders | None = None) -> None:
        self._submissions = partial((folders or SiteFolders(())).opened, "submissions", upload_root)
        self._logs = partial((folders or SiteFolders(())).opened, "logs", log_root)

    def old_submissions(self, before: datetime, *, limit: int) -> Sequence[str]:
        """By the time at which their record was written, which is the time of the upload."""
        with _disk_errors(), self._submissions() as root:
            found = [path.name for path in root.iterdir() if _ID.fullmatch(path.name) and _old(path / RECORD, before)]
        return sorted(found)[:limit]

    def old_logs(self, before: datetime, *, limit: int) -> Sequence[str]:
        with _disk_errors(), self._logs() as root:
            found = [path.stem for path in root.iterdir() if path.suffix == ".log" and _old(path, before)]
        return sorted(name for name in found if _ID.fullmatch(name))[:limit]

    def put_aside(self, submission_id: str) -> bool:
        with _disk_errors(), self._submissions() as root:
            (root / ASIDE).mkdir(exist_ok=True)
            try:
                (root / submission_id).rename(root / ASIDE / submission_id)
            except FileNotFoundError:  # another process was first
                return False
        return True

    def left_aside(self) -> Sequence[str]:
        with _disk_errors(), self._submissions() as root:
            folder = root / ASIDE
            return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def put_back(self, submission_id: str) -> None:
        with _disk_errors(), self._submissions() as root, suppress(FileNotFoundError):
            (root / ASIDE / submission_id).rename(root / submission_id)

    def remove_aside(self, submission_id: str) -> None:
        with _disk_errors(), self._submissions() as root:
            folder = root / ASIDE / submission_id
            with suppress(OSError, ValueError, KeyError, TypeError):  # without a record it has no index entry
                gone = submission_from(json.loads((folder / RECORD).read_text()))
                SubmissionIndex(root / BY_USER).remove(gone.user_id, gone.created_at, submission_id)
            shutil.rmtree(folder, ignore_errors=True)

    def remove_log(self, job_id: str) -> None:
        with _disk_errors(), self._logs() as root:
            for earlier in (root / EARLIER).glob(f"{job_id}.*.log"):
                earlier.unlink(missing_ok=True)
            (root / f"{job_id}.log").unlink(missing_ok=True)


def _old(path: Path, before: datetime) -> bool:
    try:
        return path.stat().st_mtime < before.timestamp()
    except FileNotFoundError:
        return False


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("The storage", error.strerror or type(error).__name__) from error
