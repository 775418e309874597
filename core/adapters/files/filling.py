"""Fills a submission's folder from an upload; the whole upload is checked before any file is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from core.adapters.files.archives import Look, allowance, unpack
from core.adapters.files.file_tree import Tree
from core.adapters.files.stored_files import content_hash
from core.domain.errors import InvalidInput
from core.domain.limits import UploadLimits
from core.domain.submission import StoredFile, Upload, UploadedFile, is_archive


def fill(
    folder: Path, upload: Upload, limits: UploadLimits, *, check_room: Callable[[], None]
) -> tuple[tuple[StoredFile, ...], str]:
    """The files of an upload, sorted, and the digest of all. Raises InvalidInput, TooLarge, StorageFull."""
    look = Look(limits, most=allowance(sum(map(_size, upload.files)), limits))
    for file in upload.files:
        if is_archive(file.name):
            look.at_archive(file.name, file.content)
        else:
            look.at_file(file.name)
    _check_entrypoint(upload.entrypoint, look.files)
    tree = Tree(root=folder, limits=limits, check_room=check_room, take_digests=True)
    for file in upload.files:
        if is_archive(file.name):
            unpack(file.name, file.content, tree)
        else:
            tree.add_file(file.name, file.content)
    files = sorted(tree.files.items(), key=lambda item: item[0].split("/"))
    listed = tuple(StoredFile(path=path, size_bytes=file.size_bytes) for path, file in files)
    return listed, content_hash(files)


def _size(file: UploadedFile) -> int:
    size = file.content.seek(0, os.SEEK_END)
    file.content.seek(0)
    return size


def _check_entrypoint(entrypoint: str, paths: list[str]) -> None:
    if entrypoint in paths:
        return
    elsewhere = [path for path in sorted(paths) if path.endswith(f"/{entrypoint}")]
    hint = f"; there is {elsewhere[0]!r}: name it, or pack the archive without its outer folder" if elsewhere else ""
    raise InvalidInput.of("entrypoint", f"{entrypoint!r} is not in the submission{hint}")
