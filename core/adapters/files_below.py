"""Lists the files of a folder that must exist: a missing or unreadable folder is an error, not an empty list."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn


def files_below(folder: Path) -> list[Path]:
    """All files at any depth, sorted. Raises OSError if a folder does not exist or cannot be read.

    `Path.rglob` silently finds nothing below a folder whose file system is not mounted.
    """

    def fail(error: OSError) -> NoReturn:
        raise error

    walked = os.walk(folder, onerror=fail)
    return sorted(Path(place, name) for place, _folders, names in walked for name in names)
