"""Unpacking an archive in a test, and what must hold whenever it is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

import pytest

from core.adapters.files.archives import Look, unpack
from core.adapters.files.file_tree import Tree
from core.domain.errors import InvalidInput
from core.domain.limits import UploadLimits
from tests.builders import SMALL_LIMITS


def unpacked(root: Path, name: str, content: bytes, limits: UploadLimits = SMALL_LIMITS) -> dict[str, bytes]:
    """The files that the archive becomes."""
    look_and_unpack(name, io.BytesIO(content), Tree(root=root, limits=limits))
    return files_below(root)


def look_and_unpack(name: str, archive: IO[bytes], tree: Tree) -> None:
    """As the storage does; the first pass refuses nothing that the second would take, and the other way round."""
    Look(tree.limits).at_archive(name, archive)
    unpack(name, archive, tree)


def files_below(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refused(root: Path, name: str, content: bytes, limits: UploadLimits = SMALL_LIMITS) -> InvalidInput:
    """The refusal; nothing but plain files in the tree, and nothing outside it."""
    with pytest.raises(InvalidInput) as caught:
        look_and_unpack(name, io.BytesIO(content), Tree(root=root, limits=limits))
    assert {path.name for path in root.parent.iterdir()} == {"outside", "tree"}
    assert not list((root.parent / "outside").iterdir())
    assert not any(path.is_symlink() for path in root.rglob("*"))
    return caught.value
