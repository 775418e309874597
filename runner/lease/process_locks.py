"""Locked files that show which processes live: the kernel unlocks a file when its process ends, however it ends.

The process has its file open read-only, under a shared lock. A file that is open for writing would keep its file system
from being made read-only, and a shared lock is the only one that network storage gives to a reader.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def hold(path: Path) -> int | None:
    """Makes a file that is locked before it has this name. Returns its descriptor, which the caller closes.

    Returns None and makes no file on storage without locks. Raises OSError.
    """
    new = path.with_name(f".{path.name}")
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT, 0o640))
    file = os.open(new, os.O_RDONLY)
    try:
        if _locked(file, fcntl.LOCK_SH):
            new.replace(path)
            return file
        new.unlink(missing_ok=True)
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def is_free(path: Path) -> bool:
    """Whether no process holds this file. False if that is not known: it is gone, or cannot be opened or locked."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return _locked(file, fcntl.LOCK_EX)
    finally:
        os.close(file)


def _locked(file: int, how: int) -> bool:
    """Tries to lock the file. False if another process holds it, or the storage has no locks."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
