"""The files of a folder that must be there: one that has gone, or cannot be read, is no empty one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn


def files_below(folder: Path) -> list[Path]:
    """All of them, sorted, at any depth. Raises OSError where a folder is not there or cannot be read.

    `Path.rglob` finds nothing below a folder whose file system is not mounted now, and says nothing of it.
    """

    def fail(error: OSError) -> NoReturn:
        raise error

    walked = os.walk(folder, onerror=fail)
    return sorted(Path(place, name) for place, _folders, names in walked for name in names)
