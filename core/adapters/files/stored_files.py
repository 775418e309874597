"""The hash of a submission's content, and durable writing of its record."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from core.adapters.files.file_tree import Written


def content_hash(files: Sequence[tuple[str, Written]]) -> str:
    """The hash of all files' names and contents, in the given order."""
    total = hashlib.sha256()
    for path, file in files:
        total.update(f"{file.sha256} {path}\n".encode())
    return total.hexdigest()


def write_durably(path: Path, text: str) -> None:
    """Write the file and sync it to disk. Raises OSError."""
    with path.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
