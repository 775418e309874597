"""What a submission keeps: the hash of its content, and a record that lasts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from core.adapters.files.file_tree import Written


def content_hash(files: Sequence[tuple[str, Written]]) -> str:
    """Of all the files' names and content, in the order in which they are given."""
    total = hashlib.sha256()
    for path, file in files:
        total.update(f"{file.sha256} {path}\n".encode())
    return total.hexdigest()


def write_durably(path: Path, text: str) -> None:
    """On disk afterwards. Raises OSError."""
    with path.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
