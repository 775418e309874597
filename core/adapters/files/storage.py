"""Submissions as folders, filled in a staging folder and made visible by one rename (SUB-5, SUB-6); logs as files."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.adapters.files import log_files
from core.adapters.files.disk_space import Room, disk_errors
from core.adapters.files.packing import tar_gz
from core.adapters.files.site_folders import SiteFolders
from core.adapters.files.staging import Stages
from core.adapters.files.stored_files import write_durably
from core.adapters.files.submission_index import SubmissionIndex
from core.adapters.files.submission_record import record_of, submission_from
from core.adapters.files.unpacking import fill
from core.domain.errors import NotFound, Unavailable
from core.domain.limits import UploadLimits
from core.domain.submission import LookInside, Submission, Upload, not_looked_at
from core.ports.storage import LogSlice, SubmissionPage

STAGING = ".staging"
BY_CONTENT = ".by-content"
BY_USER = ".by-user"
FILES = "files"
RECORD = "metadata.json"
_ID = re.compile(r"[0-9a-f]{32}")


class FilesystemStorage:
    """StoragePort on two folders. Staging and submissions share a file system, so that the rename is atomic."""

    def __init__(
        self,
        *,
        upload_root: Path,
        log_root: Path,
        limits: UploadLimits,
        min_free_bytes: int,
        folders: SiteFolders | None = None,
    ) -> None:
        self._root = upload_root
        self._logs = log_root
        self._folders = folders or SiteFolders(())
        self._limits = limits
        self._min_free_bytes = min_free_bytes
        self._index = SubmissionIndex(upload_root / BY_USER)
        self._stages = Stages(upload_root / STAGING)

    def create_submission(
        self, upload: Upload, metadata: Mapping[str, Any], look_inside: LookInside = not_looked_at
    ) -> Submission:
        """Stored in the folder that was checked, also if that is unmounted meanwhile: it is there with it again."""
        self._folders.check("submissions", anew=True)
        self.check_room()
        with disk_errors(), self._folders.opened("submissions", self._root) as root:
            submission = self._stored(root, upload, metadata, look_inside)
            return _recognised(root, submission)

    def _stored(self, root: Path, upload: Upload, metadata: Mapping[str, Any], look_inside: LookInside) -> Submission:
        submission_id, index = uuid.uuid4().hex, SubmissionIndex(root / BY_USER)
        room = Room(root=root, min_free_bytes=self._min_free_bytes)
        with Stages(root / STAGING).one(submission_id) as stage:
            (stage / FILES).mkdir()
            filled = fill(stage / FILES, upload, self._limits, check_room=room.check, look_inside=look_inside)
            submission = Submission(
                submission_id=submission_id,
                user_id=upload.user_id,
                entrypoint=filled.entrypoint,
                config_file=filled.config_file,
                files=filled.files,
                sha256=filled.sha256,
                metadata=metadata,
                created_at=datetime.now(UTC),
                notes=filled.notes,
            )
            write_durably(stage / RECORD, json.dumps(record_of(submission), indent=2))
            index.add(submission)
            try:
                stage.rename(root / submission_id)
            except OSError:
                index.remove(submission.user_id, submission.created_at, submission_id)
                raise
        return submission

    def get_submission(self, submission_id: str) -> Submission:
        name = self._folder(submission_id).name
        try:
            with self._folders.opened("submissions", self._root) as root:
                return submission_from(json.loads((root / name / RECORD).read_text()))
        except FileNotFoundError as error:
            raise NotFound("submission", submission_id) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("The storage", f"a record cannot be read ({type(error).__name__})") from error

    def submission_files(self, submission_id: str) -> Path:
        folder = self._folder(submission_id) / FILES
        with disk_errors(), self._folders.opened("submissions", self._root) as root:
            if not (root / folder.parent.name / FILES).is_dir():
                raise NotFound("submission", submission_id)
        return folder

    def list_submissions(
        self, *, user_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> SubmissionPage:
        with disk_errors(), self._folders.opened("submissions", self._root) as root:
            return SubmissionIndex(root / BY_USER).page(user_id, limit=limit, cursor=cursor, root=root)

    def submission_archive(self, submission_id: str) -> Iterator[bytes]:
        files = self.get_submission(submission_id).files
        return tar_gz(self.submission_files(submission_id), [file.path for file in files])

    def read_log(self, job_id: str, *, tail_lines: int = 1000) -> LogSlice:
        name = self.log_path(job_id).name
        with disk_errors(), self._folders.opened("logs", self._logs) as root:
            return log_files.tail(root / name, tail_lines)

    def read_log_from(self, job_id: str, offset: int, *, max_bytes: int = 1024 * 1024) -> LogSlice:
        name = self.log_path(job_id).name
        with disk_errors(), self._folders.opened("logs", self._logs) as root:
            return log_files.slice_from(root / name, offset, max_bytes)

    def log_path(self, job_id: str) -> Path:
        """The path of a job's log. Raises NotFound for an invalid job id."""
        if not _ID.fullmatch(job_id):
            raise NotFound("job", job_id)
        return self._logs / f"{job_id}.log"

    def check_room(self) -> None:
        with disk_errors():
            self._folders.check("submissions")
            Room(root=self._root, min_free_bytes=self._min_free_bytes).check()

    def check(self) -> None:
        with disk_errors():
            self._folders.check("submissions", "logs")
            next(self._root.iterdir(), None)
            next(self._logs.iterdir(), None)

    def clear_staging(self) -> int:
        """Remove what interrupted uploads left, never what is still being uploaded. Returns how many.

        Also rebuilds a lost index.
        """
        removed = self._stages.clear(self._forget)
        if not self._index.exists:
            self._index_all()
        return removed

    def _forget(self, stage: Path) -> None:
        """Remove its index entry; an upload that was interrupted before it had a record has none."""
        with suppress(OSError, ValueError):
            unborn = submission_from(json.loads((stage / RECORD).read_text()))
            self._index.remove(unborn.user_id, unborn.created_at, unborn.submission_id)

    def _index_all(self) -> None:
        for folder in self._root.iterdir():
            if _ID.fullmatch(folder.name):
                with suppress(NotFound, Unavailable):
                    self._index.add(self.get_submission(folder.name))

    def _folder(self, submission_id: str) -> Path:
        if not _ID.fullmatch(submission_id):
            raise NotFound("submission", submission_id)
        return self._root / submission_id


def _recognised(root: Path, submission: Submission) -> Submission:
    """The submission, with the id of an earlier equal one of its user; the index is one small file per content.

    The submission is already complete, so an index that cannot be read or written does not fail the upload.
    """
    same = [submission.user_id, submission.entrypoint, submission.config_file, submission.sha256]
    index = root / BY_CONTENT / hashlib.sha256("\n".join(same).encode()).hexdigest()
    with suppress(OSError, ValueError):
        index.parent.mkdir(exist_ok=True)
        earlier = index.read_text() if index.exists() else ""
        if _ID.fullmatch(earlier) and (root / earlier).is_dir():
            return replace(submission, duplicate_of=earlier)
        index.write_text(submission.submission_id)
    return submission
