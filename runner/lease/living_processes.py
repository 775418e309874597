"""A locked file for each living process of this host; its name labels what is removed once the process is gone.

Probes and installers are of use only to the process that started them. Any other process of its host sees at once what
a killed process left, and leaves alone what a living one uses.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.adapters.files.bounded_look import BoundedLook
from runner.lease.process_locks import hold, is_free

FOLDER = ".processes"
KEPT_SECONDS = 20.0
"""How long the file of a dead process stays: the engine may still be carrying out its last request."""
FOREIGN_SECONDS = 24 * 3600.0
"""A file untouched for so long is of a dead process, of whatever host: living ones touch theirs."""


log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class _OwnFile:
    """The file of this process. Made anew when it is gone; the former file stays locked, because it may come back."""

    path: Path
    _held: list[int] = field(default_factory=list)
    _warned: str = ""

    def keep(self) -> bool:
        """Touches the file, or makes it. Returns whether it is there. Never raises."""
        try:
            os.utime(self.path)
        except FileNotFoundError:
            return self._made()
        except OSError as error:  # it may be there, on storage that takes no writes now
            log.info("file of this process not touched", error=str(error))
        return True

    def _made(self) -> bool:
        try:
            self.path.parent.mkdir(exist_ok=True)
            file = hold(self.path)
        except OSError as error:
            if str(error) != self._warned:
                self._warned = str(error)
                log.warning("process without a file", error=self._warned)
            return False
        if file is not None:
            self._held.append(file)
        return file is not None

    def close(self) -> None:
        while self._held:
            os.close(self._held.pop())


@dataclass(kw_only=True)
class LivingProcesses:
    """The files of one host, below the folder of jobs. Other hosts' files are removed only after FOREIGN_SECONDS."""

    job_root: Path
    host: str
    _dead_since: dict[str, float] = field(default_factory=dict)
    _own: BoundedLook[bool] | None = None

    @property
    def _folder(self) -> Path:
        return self.job_root / FOLDER

    @contextmanager
    def living(self) -> Iterator[str]:
        """Yields this process's mark and keeps its file, which is locked before it has its name.

        On storage without locks, or that takes no file now or hangs, the mark has no file. Then it is not known when
        the process ends, and what carries its mark is removed by age alone.
        """
        mark = f"{self.host}-{secrets.token_hex(8)}"
        file = _OwnFile(path=self._folder / mark)
        self._own = BoundedLook(look=file.keep)
        self.touch()
        try:
            yield mark
        finally:  # the file stays until another process has removed what this one left
            file.close()

    def touch(self) -> None:
        """Touches this process's file, or makes it if that failed before. Waits for storage in bounded time."""
        if self._own is not None:
            self._own.begin(anew=True)
            self._own.answer()

    def is_dead(self, mark: str) -> bool:
        """Whether the process of this mark is known to have ended; False for a mark without a file."""
        if not mark.startswith(f"{self.host}-") or "/" in mark:
            return False
        return is_free(self._folder / mark)

    def forget(self) -> Iterator[str]:
        """Removes the files of processes that are dead for long enough, and yields their names."""
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
        for path in self._folder.glob(".*"):  # its process was killed before it had named the file
            if _untouched(path, KEPT_SECONDS):
                path.unlink(missing_ok=True)


def _untouched(path: Path, seconds: float) -> bool:
    try:
        return path.stat().st_mtime < time.time() - seconds
    except FileNotFoundError:
        return False
