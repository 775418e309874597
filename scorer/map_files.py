"""Reads one anomaly map: a TIFF or `.npy` file that a hostile program may have written.

The header is read and checked before any pixel: the sizes that it names bound what is decoded.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.lib import format as npy
from numpy.typing import NDArray

from scorer.faults import BadFile

SUFFIXES = (".tiff", ".tif", ".npy")
WANTED = "a map must be a two-dimensional float16 or float32 TIFF of one page, or such a .npy file"
NO_FILE = "a map is no plain file, or cannot be opened"
OVERHEAD = 64 * 1024
"""Bytes that a file may hold besides its pixels."""
_KINDS = {np.dtype(np.float16), np.dtype(np.float32)}
_COMPRESSIONS = {1, 5, 8, 32946}
"""None, LZW and the two numbers of Deflate."""
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _SAMPLE_FORMAT = 256, 257, 258, 259, 277, 339
_FLOAT = 3
_MOST_TAGS = 64
_NUMBERS = {3: ("H", 2), 4: ("I", 4)}
"""Kinds of a tag's value that are one number: its format for `struct`, and its bytes."""


def read_map(path: Path, sizes: set[tuple[int, int]]) -> NDArray[np.float32]:
    """The map's values (height, width), all finite. Its (width, height) must be one of `sizes`. Raises BadFile."""
    with _opened(path) as file:
        length = os.fstat(file.fileno()).st_size
        if length > max(width * height for width, height in sizes) * 4 + OVERHEAD:
            raise BadFile(f"a map's file is larger than its pixels and {OVERHEAD // 1024} KiB")
        read = _read_npy if path.suffix == ".npy" else _read_tiff
        try:
            found = read(file, sizes)
        except BadFile:
            raise
        except Exception as error:  # the libraries raise many kinds for damaged files
            raise BadFile("a map is damaged") from error
    if not np.isfinite(found).all():
        raise BadFile("a map has values that are NaN or infinite")
    return found.astype(np.float32, copy=False)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Opens a plain file; a link, a pipe or a device is refused."""
    try:
        file = open(path, "rb", opener=_open_plain)  # noqa: SIM115 a Path takes no opener; closed below
    except OSError as error:
        raise BadFile(NO_FILE) from error
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BadFile(NO_FILE)
        yield file


def _open_plain(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _read_npy(file: BinaryIO, sizes: set[tuple[int, int]]) -> NDArray[Any]:
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, kind = read_header(file, max_header_size=1024)
    if kind.newbyteorder("=") not in _KINDS or len(shape) != 2:  # noqa: PLR2004 height and width
        raise BadFile(WANTED)
    _check_size(shape[::-1], sizes)
    pixels = np.frombuffer(file.read(), dtype=kind)
    return pixels.reshape(shape, order="F" if is_fortran else "C").astype(kind.newbyteorder("="))


def _read_tiff(file: BinaryIO, sizes: set[tuple[int, int]]) -> NDArray[Any]:
    tags = _tags(file)
    bits, kind = tags.get(_BITS), tags.get(_SAMPLE_FORMAT)
    if kind != _FLOAT or bits not in {16, 32} or tags.get(_SAMPLES, 1) != 1:
        raise BadFile(WANTED)
    if tags.get(_COMPRESSION, 1) not in _COMPRESSIONS:
        raise BadFile("a map's compression is none of: none, LZW, Deflate")
    _check_size((tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)), sizes)
    file.seek(0)
    with tifffile.TiffFile(file, is_ome=False, is_imagej=False) as opened:
        pixels: NDArray[Any] = opened.pages.first.asarray()
    if pixels.shape != (tags[_HEIGHT], tags[_WIDTH]) or pixels.dtype not in _KINDS:
        raise BadFile(WANTED)
    return pixels


def _tags(file: BinaryIO) -> dict[int, int]:
    """The numbers of the first page's tags that hold one; a second page is refused (TIFF 6.0, sections 2 and 8)."""
    head = file.read(8)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None:
        raise BadFile(WANTED)
    file.seek(struct.unpack(f"{order}I", head[4:])[0])
    (count,) = struct.unpack(f"{order}H", file.read(2))
    if count > _MOST_TAGS:
        raise BadFile(f"a map has more than {_MOST_TAGS} tags")
    found = {}
    for _tag in range(count):
        tag, kind, values, value = struct.unpack(f"{order}HHI4s", file.read(12))
        if values == 1 and kind in _NUMBERS:
            form, width = _NUMBERS[kind]
            (found[tag],) = struct.unpack(f"{order}{form}", value[:width])
    if file.read(4) != b"\0\0\0\0":
        raise BadFile(WANTED)
    return found


def _check_size(size: tuple[int, ...], sizes: set[tuple[int, int]]) -> None:
    if size not in sizes:
        wanted = " or ".join(f"{width} × {height}" for width, height in sorted(sizes))
        raise BadFile(f"a map is of {' × '.join(str(side) for side in size)} pixels; wanted: {wanted}")
