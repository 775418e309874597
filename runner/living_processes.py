"""Which processes of this host live: a locked file for each, whose name labels what goes with its process.

Probes and installers are of use to the process alone that started them. What a killed one left is known at once by any
other process of its host, and what a living one has is left alone.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

FOLDER = ".processes"
KEPT_SECONDS = 20.0
"""So long the file of a dead process stays: the engine may be carrying out the last that it was asked for."""
FOREIGN_SECONDS = 24 * 3600.0
"""A file that was not touched for so long is of a process that is gone, of any host: living ones touch theirs."""


log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class LivingProcesses:
    """The files of one host below the folder of jobs; hosts that share that folder leave each other's alone."""

    job_root: Path
    host: str
    _dead_since: dict[str, float] = field(default_factory=dict)

    @property
    def _folder(self) -> Path:
        return self.job_root / FOLDER

    @contextmanager
    def living(self) -> Iterator[str]:
        """This process's mark, for as long as it lives; its file is locked before it has its name.

        On storage without locks, or that takes no file now, it has a mark without a file, which is not judged: age
        alone decides then.
        """
        mark = f"{self.host}-{secrets.token_hex(8)}"
        file = self._held(mark)
        try:
            yield mark
        finally:  # what it has not removed by itself is removed by another: the file stays until then
            if file is not None:
                os.close(file)

    def _held(self, mark: str) -> int | None:
        new = self._folder / f".{mark}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = os.open(new, os.O_WRONLY | os.O_CREAT, 0o640)
            if _locked(file):
                new.replace(self._folder / mark)
            new.unlink(missing_ok=True)
        except OSError as error:
            log.warning("process without a file", error=str(error))
            return None
        return file

    def touch(self, mark: str) -> None:
        with suppress(OSError):
            os.utime(self._folder / mark)

    def is_dead(self, mark: str) -> bool:
        """Whether the process of this mark is known to have ended. A mark without a file is not known."""
        if not mark.startswith(f"{self.host}-") or "/" in mark:
            return False
        try:
            file = os.open(self._folder / mark, os.O_WRONLY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            return _locked(file)
        finally:
            os.close(file)

    def forget(self) -> Iterator[str]:
        """Removes the files of processes that are dead for long enough, and says which."""
        for path in self._folder.glob("*"):
            if self.is_dead(path.name):
                since = self._dead_since.setdefault(path.name, time.monotonic())
                is_over = time.monotonic() - since >= KEPT_SECONDS
            else:
                is_over = _untouched(path, FOREIGN_SECONDS)
            if is_over:
                path.unlink(missing_ok=True)
                self._dead_since.pop(path.name, None)
                yield path.name
        for path in self._folder.glob(".*"):  # its process was killed before it had its name
            if _untouched(path, KEPT_SECONDS):
                path.unlink(missing_ok=True)


def _untouched(path: Path, seconds: float) -> bool:
    try:
        return path.stat().st_mtime < time.time() - seconds
    except FileNotFoundError:
        return False


def _locked(file: int) -> bool:
    """Whether it is ours now; not where another process holds it or the storage knows no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
