"""Free disk space around an upload, and the errors that mean that storage cannot be used now."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import StorageFull, Unavailable

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
FILE_FAULTS = NO_ROOM | {errno.EROFS, errno.EIO, errno.ESTALE, errno.EACCES, errno.EPERM, errno.EUCLEAN}
"""Errors of a file system that is read-only, broken or not ours: an admin must mend it, no job is at fault."""
UNUSABLE = FILE_FAULTS | {
    errno.ENOTCONN, errno.ENODEV, errno.ENXIO, errno.EREMOTEIO, errno.ESHUTDOWN, errno.ETIMEDOUT, errno.EHOSTDOWN,
}  # fmt: skip
"""The same, with the errors of a network file system or a lost device; a socket may raise those as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """The file system of a folder, with the free space that uploads must leave for logs, Redis and runs."""

    root: Path
    min_free_bytes: int

    def check(self) -> None:
        """Raises StorageFull if less than `min_free_bytes` is free, OSError if the disk cannot be asked."""
        if shutil.disk_usage(self.root).free < self.min_free_bytes:
            raise StorageFull(
                "The disk for submissions is nearly full; nothing can be uploaded until an admin makes room."
            )


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns a full disk into StorageFull, every other OSError into Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(
                "The disk for submissions is full; nothing can be uploaded until an admin makes room."
            ) from error
        raise Unavailable("The storage", error.strerror or type(error).__name__) from error
