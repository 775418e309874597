"""Locks a staging folder during an upload, so that cleanup can tell an abandoned upload from a live one."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNLOCKED_SECONDS = 600.0
UNNAMED_SECONDS = 60.0
"""A folder without its final name for longer was made by a process that died before it could lock it."""


@contextmanager
def held(stage: Path, *, unlocked_seconds: float = 0.0) -> Iterator[None]:
    """Lock this staging folder for this process; the lock ends with the process. Raises OSError if it is locked.

    On storage without locks only the folder's age shows whether its upload was abandoned: it must be `unlocked_seconds`
    old.
    """
    folder = os.open(stage, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            if time.time() - stage.stat().st_mtime < unlocked_seconds:
                raise
        yield
    finally:
        os.close(folder)


class Stages:
    """The staging folders below one root. Each is moved away by its creator, or removed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def one(self, name: str) -> Iterator[Path]:
        """A new staging folder. It is locked before it gets its name, so cleanup never finds a live one unlocked."""
        unnamed = self._made() / f".{name}"
        stage = unnamed.with_name(name)
        unnamed.mkdir()
        try:
            with held(unnamed):
                unnamed.rename(stage)
                yield stage
        finally:
            for folder in (unnamed, stage):
                shutil.rmtree(folder, ignore_errors=True)

    def clear(self, forget: Callable[[Path], None]) -> int:
        """Remove abandoned folders, never live ones, after calling `forget` on each. Returns how many."""
        removed = 0
        for stage in self._made().iterdir():
            with suppress(OSError):
                if stage.name.startswith(".") and time.time() - stage.stat().st_mtime < UNNAMED_SECONDS:
                    continue  # locking it could make its owner's lock fail
                with held(stage, unlocked_seconds=UNLOCKED_SECONDS):
                    forget(stage)
                    shutil.rmtree(stage, ignore_errors=True)
                    removed += 1
        return removed

    def _made(self) -> Path:
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root
