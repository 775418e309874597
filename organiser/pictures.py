"""Reads a picture or mask of a data set, and writes it so that only its pixels are left.

One encoder writes all of them, as 8-bit RGB: a file's kind, EXIF, texts, colour profile, palette and the settings of
whatever saved it could tell normal from anomalous. Pixels are kept as they are; grey becomes three equal channels.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.adapters.files.benchmark_pictures import DEEP, TO_8_BITS, TURNED, Unreadable, bits_of, decoded, is_turned

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
LEVEL = 3
"""Of zlib's compression: a MiB less than with 1, and a third of the time of the usual 6."""
MOST_MASK_VALUES = 16
WHITE = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """A picture as it is written. `size` is (width, height); `content` is the SHA-256 of size and pixels."""

    png: bytes
    size: tuple[int, int]
    content: str


def read_picture(path: Path) -> Encoded:
    """Raises Unreadable for what readers would get wrong."""
    with decoded(path, FORMATS) as (image, raw):
        if (bits := bits_of(image, raw)) >= DEEP:
            raise Unreadable(TO_8_BITS.format(bits=bits))
        if getattr(image, "n_frames", 1) > 1:
            raise Unreadable("has several pictures in one file; save the one that is meant")
        if is_turned(image):
            raise Unreadable(TURNED)
        pixels = image.convert("RGBA").convert("RGB") if "transparency" in image.info else image.convert("RGB")
    return _encoded(pixels)


def read_mask(path: Path, size: tuple[int, int]) -> Encoded:
    """A mask of 0 and 255 as large as its picture; whatever is not 0 is anomalous. Raises Unreadable."""
    with decoded(path, FORMATS) as (image, _raw):
        if image.format in {"JPEG", "MPO"}:
            raise Unreadable("is a JPEG, which blurs a mask; save it as PNG with the values 0 and 255")
        if image.size != size:
            own, wanted = (f"{width} x {height}" for width, height in (image.size, size))
            raise Unreadable(f"has {own} pixels, and its picture {wanted}; make it as large, by nearest neighbour")
        values = _values(image)
    if len(np.unique(values)) > MOST_MASK_VALUES:
        raise Unreadable("has soft edges, so it is not clear where the defect ends; save it with the values 0 and 255")
    if not values.any():
        raise Unreadable("is empty, and its picture is called anomalous; draw the defect, or call the picture normal")
    if values.all():
        raise Unreadable("marks every pixel as anomalous; the rest must be 0")
    return _encoded(Image.fromarray(np.where(values, WHITE, 0).astype(np.uint8)))


def _values(image: Image.Image) -> NDArray[np.int64]:
    """The largest of a pixel's channels, without alpha; of a palette the number itself."""
    if image.mode in {"1", "L", "P"} or image.mode.startswith("I"):
        return np.asarray(image).astype(np.int64)
    found: NDArray[np.int64] = np.asarray(image.convert("RGB"), dtype=np.int64).max(axis=2)
    return found


def _encoded(pixels: Image.Image) -> Encoded:
    bare = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())  # without what the source's file said
    buffer = io.BytesIO()
    bare.save(buffer, "PNG", compress_level=LEVEL)
    content = hashlib.sha256(f"{bare.mode} {bare.size} ".encode() + bare.tobytes()).hexdigest()
    return Encoded(png=buffer.getvalue(), size=bare.size, content=content)
