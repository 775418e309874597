"""How much of the disk is left, looked at around an upload, and which errors say that storage cannot be used now."""

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
"""What a file system answers that takes no writes, is broken, or is not ours: an admin mends it, no job is at fault."""
UNUSABLE = FILE_FAULTS | {
    errno.ENOTCONN, errno.ENODEV, errno.ENXIO, errno.EREMOTEIO, errno.ESHUTDOWN, errno.ETIMEDOUT, errno.EHOSTDOWN,
}  # fmt: skip
"""The same, with what a network file system or a lost device answers; a socket may answer those, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """The file system below a folder, and what of it uploads may not take: logs, Redis and runs need it."""

    root: Path
    min_free_bytes: int

    def check(self) -> None:
        """Raises StorageFull below the mark, OSError when the disk cannot be asked."""
        if shutil.disk_usage(self.root).free < self.min_free_bytes:
            raise StorageFull(
                "The disk for submissions is nearly full; nothing can be uploaded until an admin makes room."
            )


@contextmanager
def disk_errors() -> Iterator[None]:
    """A full disk becomes StorageFull, every other fault of it Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(
                "The disk for submissions is full; nothing can be uploaded until an admin makes room."
            ) from error
        raise Unavailable("The storage", error.strerror or type(error).__name__) from error
