"""Submissions as folders: filled in a staging place, visible by one rename (SUB-5, SUB-6); logs as files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.adapters import log_files
from core.adapters.archives import Look, allowance, unpack
from core.adapters.file_tree import Tree
from core.adapters.packing import tar_gz
from core.adapters.room import NO_ROOM, Room
from core.adapters.site_folders import SiteFolders
from core.adapters.staging import UNLOCKED_SECONDS, UNNAMED_SECONDS, held
from core.adapters.stored_files import content_hash, write_durably
from core.adapters.submission_index import SubmissionIndex
from core.adapters.submission_record import record_of, submission_from
from core.domain.errors import InvalidInput, NotFound, StorageFull, Unavailable
from core.domain.limits import UploadLimits
from core.domain.submission import StoredFile, Submission, Upload, UploadedFile, is_archive
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
        self._room = Room(root=upload_root, min_free_bytes=min_free_bytes)
        self._index = SubmissionIndex(upload_root / BY_USER)

    def create_submission(self, upload: Upload, metadata: Mapping[str, Any]) -> Submission:
        self._folders.check("submissions", anew=True)
        self.check_room()
        submission_id = uuid.uuid4().hex
        with _disk_errors(), self._staged(submission_id) as stage:
            files, sha256 = self._fill(upload, stage / FILES)
            submission = Submission(
                submission_id=submission_id,
                user_id=upload.user_id,
                entrypoint=upload.entrypoint,
                config_file=upload.config_file,
                files=files,
                sha256=sha256,
                metadata=metadata,
                created_at=datetime.now(UTC),
            )
            write_durably(stage / RECORD, json.dumps(record_of(submission), indent=2))
            self._index.add(submission)
            try:
                stage.rename(self._root / submission_id)
            except OSError:
                self._index.remove(submission.user_id, submission.created_at, submission_id)
                raise
        return self._recognised(submission)

    def _recognised(self, submission: Submission) -> Submission:
        """The submission, told which earlier one of its user is the same; one small file for each content.

        The submission is complete by now, so an index that cannot be read or written is not the upload's failure.
        """
        same = [submission.user_id, submission.entrypoint, submission.config_file, submission.sha256]
        index = self._root / BY_CONTENT / hashlib.sha256("\n".join(same).encode()).hexdigest()
        with suppress(OSError, ValueError):
            index.parent.mkdir(exist_ok=True)
            earlier = index.read_text() if index.exists() else ""
            if _ID.fullmatch(earlier) and (self._root / earlier).is_dir():
                return replace(submission, duplicate_of=earlier)
            index.write_text(submission.submission_id)
        return submission

    def get_submission(self, submission_id: str) -> Submission:
        try:
            return submission_from(json.loads((self._folder(submission_id) / RECORD).read_text()))
        except FileNotFoundError as error:
            self._folders.check("submissions")  # where its file system is gone, nothing is known of it
            raise NotFound("submission", submission_id) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("The storage", f"a record cannot be read ({type(error).__name__})") from error

    def submission_files(self, submission_id: str) -> Path:
        folder = self._folder(submission_id) / FILES
        if not folder.is_dir():
            raise NotFound("submission", submission_id)
        return folder

    def list_submissions(
        self, *, user_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> SubmissionPage:
        with _disk_errors():
            return self._index.page(user_id, limit=limit, cursor=cursor, root=self._root)

    def submission_archive(self, submission_id: str) -> Iterator[bytes]:
        files = self.get_submission(submission_id).files
        return tar_gz(self.submission_files(submission_id), [file.path for file in files])

    def read_log(self, job_id: str, *, tail_lines: int = 1000) -> LogSlice:
        with _disk_errors():
            return self._found(log_files.tail(self.log_path(job_id), tail_lines))

    def read_log_from(self, job_id: str, offset: int, *, max_bytes: int = 1024 * 1024) -> LogSlice:
        with _disk_errors():
            return self._found(log_files.slice_from(self.log_path(job_id), offset, max_bytes))

    def _found(self, piece: LogSlice) -> LogSlice:
        """A log of which there is nothing may be one whose file system is gone. Raises Unavailable."""
        if not piece.next_offset:
            self._folders.check("logs")
        return piece

    def log_path(self, job_id: str) -> Path:
        """Where a job's log is. Raises NotFound for what cannot be a job's id."""
        if not _ID.fullmatch(job_id):
            raise NotFound("job", job_id)
        return self._logs / f"{job_id}.log"

    def check_room(self) -> None:
        with _disk_errors():
            self._folders.check("submissions")
            self._room.check()

    def check(self) -> None:
        with _disk_errors():
            self._folders.check("submissions", "logs")
            next(self._root.iterdir(), None)
            next(self._logs.iterdir(), None)

    def clear_staging(self) -> int:
        """Remove what broken-off uploads left, never what is still being uploaded; how many that were.

        An index that is lost is made anew.
        """
        removed = 0
        for stage in self._staging().iterdir():
            with suppress(OSError):
                if stage.name.startswith(".") and time.time() - stage.stat().st_mtime < UNNAMED_SECONDS:
                    continue  # to lock it would be in its owner's way
                with held(stage, unlocked_seconds=UNLOCKED_SECONDS):
                    self._forget(stage)
                    removed += 1
        if not self._index.exists:
            self._index_all()
        return removed

    def _forget(self, stage: Path) -> None:
        with suppress(OSError, ValueError):  # broke off before it had a record: then it has no entry, either
            unborn = submission_from(json.loads((stage / RECORD).read_text()))
            self._index.remove(unborn.user_id, unborn.created_at, unborn.submission_id)
        shutil.rmtree(stage, ignore_errors=True)

    def _index_all(self) -> None:
        for folder in self._root.iterdir():
            if _ID.fullmatch(folder.name):
                with suppress(NotFound, Unavailable):
                    self._index.add(self.get_submission(folder.name))

    def _folder(self, submission_id: str) -> Path:
        if not _ID.fullmatch(submission_id):
            raise NotFound("submission", submission_id)
        return self._root / submission_id

    def _staging(self) -> Path:
        folder = self._root / STAGING
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _staged(self, submission_id: str) -> Iterator[Path]:
        """Locked before it has its name: nobody finds it unlocked while this process lives."""
        unnamed = self._staging() / f".{submission_id}"
        stage = unnamed.with_name(submission_id)
        unnamed.mkdir()
        try:
            with held(unnamed):
                unnamed.rename(stage)
                (stage / FILES).mkdir()
                yield stage
        finally:
            for folder in (unnamed, stage):
                shutil.rmtree(folder, ignore_errors=True)

    def _fill(self, upload: Upload, folder: Path) -> tuple[tuple[StoredFile, ...], str]:
        """The files of an upload, and the digest of them all. All of it is looked at before a file is written."""
        look = Look(self._limits, most=allowance(sum(map(_size, upload.files)), self._limits))
        for file in upload.files:
            if is_archive(file.name):
                look.at_archive(file.name, file.content)
            else:
                look.at_file(file.name)
        _check_entrypoint(upload.entrypoint, look.files)
        tree = Tree(root=folder, limits=self._limits, check_room=self._room.check, take_digests=True)
        for file in upload.files:
            if is_archive(file.name):
                unpack(file.name, file.content, tree)
            else:
                tree.add_file(file.name, file.content)
        files = sorted(tree.files.items(), key=lambda item: item[0].split("/"))
        listed = tuple(StoredFile(path=path, size_bytes=file.size_bytes) for path, file in files)
        return listed, content_hash(files)


def _size(file: UploadedFile) -> int:
    size = file.content.seek(0, os.SEEK_END)
    file.content.seek(0)
    return size


def _check_entrypoint(entrypoint: str, paths: list[str]) -> None:
    if entrypoint in paths:
        return
    elsewhere = [path for path in sorted(paths) if path.endswith(f"/{entrypoint}")]
    hint = f"; there is {elsewhere[0]!r}: name it, or pack the archive without its outer folder" if elsewhere else ""
    raise InvalidInput.of("entrypoint", f"{entrypoint!r} is not in the submission{hint}")


@contextmanager
def _disk_errors() -> Iterator[None]:
    """A full disk becomes StorageFull, every other fault of it Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(
                "The disk for submissions is full; nothing can be uploaded until an admin makes room."
            ) from error
        raise Unavailable("The storage", error.strerror or type(error).__name__) from error
