"""The files of a submission as they were stored: their list, and the hash of their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.domain.submission import StoredFile


def listed(folder: Path) -> tuple[StoredFile, ...]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(StoredFile(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size) for path in found)


def content_hash(folder: Path, files: tuple[StoredFile, ...]) -> str:
    total = hashlib.sha256()
    for file in files:
        with (folder / file.path).open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        total.update(f"{digest} {file.path}\n".encode())
    return total.hexdigest()
