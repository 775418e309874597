"""Who fills a staging folder: a lock that a dying process lets go of tells what broke off from what lives."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
