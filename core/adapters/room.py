"""How much of the disk is left: looked at before an upload, while its bytes arrive, and while it is unpacked."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import StorageFull

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


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
