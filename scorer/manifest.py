"""The hash of a folder of labels or predictions: it changes with any file's name or content.

Only the standard library is used, so that runners can compute it, too.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NoReturn


def manifest(folder: Path) -> str:
    r"""The SHA-256, in hex, over the sorted lines `<sha256 of file>  <posix path>\\n` of all files below the folder.

    Raises OSError if the folder or a file of it cannot be read.
    """
    return hashlib.sha256(listing(folder)).hexdigest()


def listing(folder: Path) -> bytes:
    """The lines themselves, as `sha256sum --check` reads them. Raises OSError."""
    return b"".join(sorted(_line(folder, path) for path in _files(folder)))


def _files(folder: Path) -> list[Path]:
    def fail(error: OSError) -> NoReturn:
        raise error

    return [Path(place, name) for place, _folders, names in os.walk(folder, onerror=fail) for name in names]


def _line(folder: Path, path: Path) -> bytes:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{sha256}  ".encode() + os.fsencode(path.relative_to(folder).as_posix()) + b"\n"
