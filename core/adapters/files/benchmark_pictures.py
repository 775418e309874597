"""Reads one picture or mask of a benchmark as its readers would, and says what they would not get right.

Readers (anomalib, PIL) take 8 bits per channel, drop an alpha channel, and ignore that a camera was turned. Files are
hostile: size and dimensions are bounded before anything is decoded, and nothing but PNG and JPEG is.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

MOST_BYTES = 64 * 1024 * 1024
MOST_PIXELS = 30_000_000
FORMATS = ("PNG", "JPEG")
ORIENTATION = 0x0112
UPRIGHT = (0, 1)
WHITE = 255
PNG_DEPTH = 24
"""Where the first chunk of a PNG has its bits per channel."""
DEEP = 16
READ = frozenset({".png", ".jpg", ".jpeg"})
"""Suffixes, in lower case, of what is decoded; all others are faults by their names."""
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)
"""What PIL raises about damaged files."""
TO_8_BITS = (
    "has {bits} bits per channel: readers cut or clip it to 8, so every method scores as if by chance. Save it with 8, "
    "the whole set by one scale, e.g. in Python: Image.fromarray((np.asarray(image) / 257).astype('uint8'))"
)

TURNED = "is turned by its EXIF alone, which readers ignore: its mask would not fit. Save it turned, without EXIF"


class Unreadable(ValueError):
    """Raised for a file that is no picture as readers take them; the text completes "x.png …"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What is known of one file."""

    sha256: str
    width: int
    height: int
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def look_at(path: Path, *, is_mask: bool) -> Picture:
    """Read and decode one file. Raises Unreadable."""
    with decoded(path) as (image, raw):
        return Picture(
            sha256=hashlib.sha256(raw).hexdigest(),
            width=image.width,
            height=image.height,
            faults=tuple(_faults(image, bits_of(image, raw), is_mask=is_mask)),
            notes=() if is_mask else tuple(_notes(image)),
        )


@contextmanager
def decoded(path: Path, formats: tuple[str, ...] = FORMATS) -> Iterator[tuple[Image.Image, bytes]]:
    """The picture, decoded, and the bytes of its file. Raises Unreadable, also for what is found damaged inside."""
    raw = bounded_bytes(path)
    try:
        with Image.open(io.BytesIO(raw), formats=formats) as image:
            _check_size(image)
            image.load()
            yield image, raw
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(f"has more pixels than any reader takes; make it smaller than {MOST_PIXELS}") from error
    except UnidentifiedImageError as error:
        kinds = " or ".join(formats)
        raise Unreadable(f"is no {kinds} picture, whatever its name says; save it as an 8-bit PNG") from error
    except Unreadable:
        raise
    except DAMAGE as error:
        raise Unreadable(f"is damaged or cut off ({type(error).__name__}); copy it again from its source") from error


def bits_of(image: Image.Image, raw: bytes) -> int:
    """Bits per channel, as the file has them."""
    if image.format == "PNG":
        return raw[PNG_DEPTH]
    return DEEP if image.mode.startswith(("I", "F")) else 8


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise Unreadable(f"has {image.width} x {image.height} pixels; make it smaller than {MOST_PIXELS} in all")


def bounded_bytes(path: Path) -> bytes:
    """The bytes of a plain file. Raises Unreadable for anything else, also for what it turns into meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror}); make it readable for all: chmod a+r") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("is no plain file; put the picture itself in its place")
        if found.st_size > MOST_BYTES:
            raise Unreadable(f"is larger than {MOST_BYTES} bytes; save it smaller")
        return file.read(MOST_BYTES + 1)[:MOST_BYTES]


def is_turned(image: Image.Image) -> bool:
    """Whether its EXIF says that it is to be shown turned or mirrored."""
    return image.getexif().get(ORIENTATION, 1) not in UPRIGHT


def _faults(image: Image.Image, bits: int, *, is_mask: bool) -> Iterator[str]:
    if bits == DEEP or image.mode.startswith(("I", "F")):
        yield TO_8_BITS.format(bits=max(bits, DEEP))
        return
    if getattr(image, "n_frames", 1) > 1 and image.format == "PNG":
        yield "is animated, and readers see its first picture alone; save that one"
    if is_turned(image):
        yield TURNED
    if is_mask:
        yield from _mask_faults(image)


def _mask_faults(image: Image.Image) -> Iterator[str]:
    counts = image.convert("L").histogram()
    odd = [value for value in range(1, WHITE) if counts[value]]
    if odd == [1] and not counts[WHITE]:
        yield "has the values 0 and 1: programs that ask for more than 127 find no defect. Write 0 and 255"
    elif odd:
        values = ", ".join(map(str, odd[:5])) + (" ..." if len(odd) > 5 else "")  # noqa: PLR2004 a few are enough
        yield f"has values besides 0 and 255 ({values}); write these two alone, and resize masks by nearest neighbour"
    if not sum(counts[1:]):
        yield "is empty: a defect picture needs pixels of 255 where the defect is, or it belongs into test/good"
    elif not counts[0]:
        yield "marks every pixel as defect; the rest must be 0"


def _notes(image: Image.Image) -> Iterator[str]:
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        yield "has an alpha channel, which readers drop"
    elif image.mode == "P":
        yield "has a palette; readers take its colours as RGB"
    elif image.mode == "CMYK":
        yield "is in CMYK; readers convert it to RGB, and colours change. Save it in RGB"
