"""Folders that are being filled: a lock that a dying process lets go of tells what broke off from what lives."""

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
"""A folder without its name for longer belongs to a process that died before it had locked it."""


@contextmanager
def held(stage: Path, *, unlocked_seconds: float = 0.0) -> Iterator[None]:
    """This staging folder as this process's alone; a process that dies lets go of it. Raises OSError when it is held.

    On storage without locks only its age tells a broken-off upload from a living one: it must be that old.
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
    """The staging folders of one place; each is moved away by its maker, or goes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def one(self, name: str) -> Iterator[Path]:
        """Locked before it has its name: nobody finds it unlocked while this process lives."""
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
        """Remove those that broke off, never one that lives, each after `forget` of it; how many that were."""
        removed = 0
        for stage in self._made().iterdir():
            with suppress(OSError):
                if stage.name.startswith(".") and time.time() - stage.stat().st_mtime < UNNAMED_SECONDS:
                    continue  # to lock it would be in its owner's way
                with held(stage, unlocked_seconds=UNLOCKED_SECONDS):
                    forget(stage)
                    shutil.rmtree(stage, ignore_errors=True)
                    removed += 1
        return removed

    def _made(self) -> Path:
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root
