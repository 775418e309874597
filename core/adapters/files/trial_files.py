"""Files of trials as folders beside the logs, filled under another name and made visible by one rename."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.adapters.files.disk_space import disk_errors
from core.adapters.files.site_folders import SiteFolders
from core.domain.artifact_names import name_faults
from core.domain.errors import NotFound
from core.ports.tracking import ArtifactContent

FOLDER = ".trials"
KEPT_SECONDS = 24 * 3600.0
KEPT_BYTES = 16 * 1024**2
"""Of one trial. Larger files are left out, so that trials, which count towards no limit of jobs, fill no disk."""
PIECE_BYTES = 256 * 1024
_ID = re.compile(r"[0-9a-f]{32}")


def fitting(sizes: Mapping[str, int]) -> list[str]:
    """The names, in their order, of those files that fit into KEPT_BYTES together."""
    found, room = [], KEPT_BYTES
    for name, size in sizes.items():
        if size <= room:
            found.append(name)
            room -= size
    return found


class TrialFiles:
    """TrialFilesPort on a folder below the logs, which runners write and gateways read."""

    def __init__(self, log_root: Path, *, folders: SiteFolders | None = None) -> None:
        self._logs = log_root
        self._folders = folders or SiteFolders(())

    def keep(self, job_id: str, source: Path, names: Sequence[str]) -> None:
        """Copy these plain files from a folder of the platform's.

        Raises Unavailable, OSError.
        """
        with self._folders.opened("logs", self._logs) as root:
            fresh = root / FOLDER / f".{job_id}.{secrets.token_hex(4)}"
            fresh.mkdir(parents=True)
            try:
                for name in names:
                    (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source / name, fresh / name, follow_symlinks=False)
                shutil.rmtree(root / FOLDER / job_id, ignore_errors=True)
                _rename(fresh, root / FOLDER / job_id)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)

    def are_kept(self, job_id: str) -> bool:
        with disk_errors(), self._folders.opened("logs", self._logs) as root:
            return (root / FOLDER / job_id).is_dir()

    @contextmanager
    def content(self, job_id: str, path: str) -> Iterator[ArtifactContent]:
        if not _ID.fullmatch(job_id) or name_faults(path):
            raise NotFound("artifact", path)
        with self._opened(job_id, path) as file:
            size = file.seek(0, 2)
            file.seek(0)
            yield ArtifactContent(size_bytes=size, pieces=iter(lambda: file.read(PIECE_BYTES), b""))

    def _opened(self, job_id: str, path: str) -> IO[bytes]:
        with disk_errors(), self._folders.opened("logs", self._logs) as root:
            try:
                return (root / FOLDER / job_id / path).open("rb")
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                raise NotFound("artifact", path) from error

    def remove_old(self) -> Iterator[str]:
        """Remove what is older than KEPT_SECONDS, left halves included; yields the names.

        Raises Unavailable, OSError.
        """
        with self._folders.opened("logs", self._logs) as root:
            found = list((root / FOLDER).iterdir()) if (root / FOLDER).is_dir() else []
            for path in found:
                if _is_old(path):
                    shutil.rmtree(path, ignore_errors=True)
                    yield path.name


def _rename(fresh: Path, path: Path) -> None:
    try:
        fresh.rename(path)
    except OSError:  # another runner has just put the same files there
        if not path.is_dir():
            raise


def _is_old(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - KEPT_SECONDS
    except FileNotFoundError:  # another runner was first
        return False
