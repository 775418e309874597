"""Hands a log and its position file over to a new writer; the former one may be dead, slow, or paused.

The new writer replaces both by copies of its own; the former one goes on in files without a name. The position is
replaced before the log; the record is right for the old file and for the new one, so a writer may be killed at any
moment.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.job_log import journal as log_position
from runner.job_log.journal import PositionFile, Reached


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenFiles:
    """The two files, open; no other process writes them."""

    log: int
    """For appending and for reading."""
    position: PositionFile
    reached: Reached

    def close(self) -> None:
        os.close(self.log)
        self.position.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFiles:
    """The names of both files; the runner that holds the job may give them to files of its own."""

    log: Path
    position: Path
    confirm: Callable[[], None]
    """Raises when the job is another runner's; called right before the files are renamed."""

    def take(self, *, trusted: bool) -> OpenFiles:
        """Goes on where another writer stopped. A position that is not trusted is ignored, and all of the log kept.

        Raises what `confirm` raises, and OSError when the disk is full.
        """
        self._clear()
        intent = log_position.read(self.position) if trusted else None  # before the copy, which may have more
        try:
            source = os.open(self.log, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            source = os.open(os.devnull, os.O_RDONLY)
        try:
            return self._put(source, lambda copy: intent.outcome(copy) if intent else _whole(copy))
        finally:
            os.close(source)

    def put_back(self, log: int, reached: Reached) -> OpenFiles:
        """Restores our own files after a runner that was paused has put its copies over them. Raises as `take`."""
        return self._put(log, lambda _copy: reached)

    def names(self, log: int) -> bool:
        """Whether this open file is the one that readers find."""
        try:
            found = self.log.lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(log))

    def _put(self, source: int, judged: Callable[[int], Reached]) -> OpenFiles:
        copy, record = _beside(self.log), _beside(self.position)
        held = None
        try:
            held = _copied(source, copy, record, judged)
            self.confirm()
            record.replace(self.position)
            copy.replace(self.log)
        except BaseException as error:
            copy.unlink(missing_ok=True)
            record.unlink(missing_ok=True)
            if held is not None:
                held.close()
            if isinstance(error, FileNotFoundError):  # a runner that took the job removes others' copies
                self.confirm()
            raise
        return held

    def _clear(self) -> None:
        """Deletes temporary files of a killed writer. A writer that was only paused then fails to rename its own."""
        for path in (self.log, self.position):
            for left in path.parent.glob(f".{path.name}.*"):
                left.unlink(missing_ok=True)


def _copied(source: int, copy: Path, record: Path, judged: Callable[[int], Reached]) -> OpenFiles:
    shutil.copyfile(f"/proc/self/fd/{source}", copy)  # it need not have a name
    log = os.open(copy, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
    try:
        os.fchmod(log, 0o640)
        reached = judged(log)
        os.ftruncate(log, reached.size)
        position = PositionFile(record)
    except BaseException:
        os.close(log)
        raise
    held = OpenFiles(log=log, position=position, reached=reached)
    try:
        position.write(reached.intent())
    except BaseException:
        held.close()
        raise
    return held


def _whole(log: int) -> Reached:
    return Reached(size=os.fstat(log).st_size)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")
