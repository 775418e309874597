"""Packs files into a tar.gz while it is read: no copy on disk, no file completely in memory (SUB-7)."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

BLOCK = 256 * 1024
GZIP = 16 + zlib.MAX_WBITS
RECORD = tarfile.BLOCKSIZE


def tar_gz(folder: Path, names: Iterable[str]) -> Iterator[bytes]:
    """The archive of these files below `folder`, under their relative names; the same files give the same bytes."""
    squeeze = zlib.compressobj(zlib.Z_BEST_SPEED, wbits=GZIP)
    for plain in _tar(folder, names):
        if piece := squeeze.compress(plain):
            yield piece
    yield squeeze.flush()


def _tar(folder: Path, names: Iterable[str]) -> Iterator[bytes]:
    for name in names:
        with (folder / name).open("rb") as content:
            member = tarfile.TarInfo(name)
            member.size = (folder / name).stat().st_size
            yield member.tobuf(tarfile.PAX_FORMAT)
            left = member.size
            while left and (block := content.read(min(BLOCK, left))):
                left -= len(block)
                yield block
            yield bytes(-member.size % RECORD + left)
    yield bytes(2 * RECORD)
