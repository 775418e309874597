"""Tar archives that cost far more than their size, written block by block: no library writes such archives."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator

MAIN = b"print(1)\n"
Files = list[tuple[str, bytes]]
"""Names and contents of the files of one form."""


def header(name: bytes, *, size: int = 0, kind: bytes = b"0", raw_size: bytes = b"", prefix: bytes = b"") -> bytes:
    """One tar header block; `raw_size` replaces the octal size field."""
    field = raw_size or b"%011o\0" % size
    block = bytearray(name[:100].ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + field + b"%011o\0" % 0)
    block += b" " * 8 + kind + bytes(100) + b"ustar\x0000" + bytes(80) + prefix.ljust(155, b"\0") + bytes(12)
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def extended(kind: bytes, body: bytes) -> bytes:
    """An extension header with its body."""
    return header(b"x", size=len(body), kind=kind) + padded(body)


def record(key: str, value: str) -> bytes:
    """One pax record, whose length counts itself."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def packed(*pieces: bytes | Iterable[bytes]) -> bytes:
    """A gzip of these bytes at zlib's highest level, made without holding them all in memory."""
    squeeze = zlib.compressobj(9, wbits=31)
    out = []
    for piece in pieces:
        out += [squeeze.compress(part) for part in ([piece] if isinstance(piece, bytes) else piece)]
    return b"".join([*out, squeeze.flush()])


def tgz(*pieces: bytes | Iterable[bytes]) -> Files:
    return [("a.tar.gz", packed(*pieces, header(b"main.py", size=len(MAIN)), padded(MAIN), bytes(1024)))]


def members(count: int, name: str = "m{}") -> Iterator[bytes]:
    return (header(name.format(number).encode()) for number in range(count))


def zeros(megabytes: int) -> Iterator[bytes]:
    return (bytes(1024 * 1024) for _number in range(megabytes))


def short_records(size: int) -> bytes:
    """As many different records as fit into `size` bytes."""
    found = bytearray()
    while len(found) < size - 16:
        found += record(f"{len(found):x}", "")
    return bytes(found)


def deep(number: int) -> str:
    return "/".join([f"{number:x}", *"abcdefghijklmnopqrstuvwxyz123"])


def long_name(number: int, mark: bytes) -> bytes:
    return extended(b"L", mark * 60_000 + b"%d" % number) + header(b"m")


SPARSE_MAP = (b"00000000001\0" * 42 + b"\1").ljust(512, b"\0")
RECORDS = extended(b"x", record("a", "b") * 10_000)


def signed(block: bytes) -> bytes:
    """A header whose checksum adds signed bytes, as old writers did; verifying it takes a second sum."""
    found = bytearray(block)
    found[148:156] = b" " * 8
    found[257] = 255
    found[148:156] = b"%06o\0 " % (sum(byte - 256 * (byte > 127) for byte in found) & 0o777777)
    return bytes(found)


def wide_names() -> Files:
    """Paths of about 920 bytes, each with one character that makes Python store the whole string at 4 bytes each."""
    folder = "/".join(["d" * 100] * 8)
    return tgz(
        extended(b"x", record("path", f"{folder}/\U0001f600{number:05}{'n' * 90}")) + header(b"f")
        for number in range(9900)
    )


def combined() -> Files:
    """Many signed headers with twenty records each, and many small archives of zeros and padding."""
    records = b"".join(record(chr(97 + number), "1") for number in range(19))
    many = (extended(b"x", records + record("path", f"f{number}")) + signed(header(b"f")) for number in range(9750))
    content = padded(bytes(1_048_000)) + bytes(1024 * 1024 - 1024)
    zeros = (packed(header(b"g%d" % number, size=1_048_000), content) for number in range(198))
    return [*tgz(many), *((f"{number}.tar.gz", archive) for number, archive in enumerate(zeros))]


TARS: dict[str, Callable[[], Files]] = {
    "9,900 long names of wide characters": wide_names,
    "many headers beside 198 archives of zeros": combined,
    "one 64 KB global header and 4,000 members": lambda: tgz(extended(b"g", short_records(64_000)), members(4000)),
    "a 4 KB global header and 9,990 members": lambda: tgz(extended(b"g", short_records(1000)), members(9990)),
    "thousands of global headers": lambda: tgz(extended(b"g", record("comment", "x")) * 9000),
    "600 members with 64 KB of records each": lambda: tgz(
        RECORDS + header(b"m%d" % n) for n in range(600)
    ),
    "9,990 members with twenty records each": lambda: tgz(
        extended(b"x", b"".join(record(f"k{n}", "v") for n in range(20))) + header(b"m%d" % number)
        for number in range(9990)
    ),
    "records that never end": lambda: tgz(extended(b"x", b"999999 path=" + b"a" * 50_000) + header(b"m")),
    "a chain of 9,000 headers for one member": lambda: tgz(extended(b"x", record("path", "a")) * 9000),
    "10,001 members": lambda: tgz(members(10_001)),
    "9,990 members": lambda: tgz(members(9990)),
    "9,990 members, 30 folders deep each": lambda: tgz(
        extended(b"x", record("path", deep(n))) + header(b"m") for n in range(9990)
    ),
    "long names of 60 KB": lambda: tgz(long_name(n, b"a") for n in range(4000)),
    "a long name of 100 MB": lambda: tgz(header(b"x", size=100 << 20, kind=b"L"), zeros(100)),
    "links with long targets": lambda: tgz(extended(b"K", b"a" * 64_000) + header(b"m%d" % n) for n in range(9000)),
    "a map of a sparse file without a line end": lambda: tgz(
        extended(b"x", record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0")),
        header(b"m", size=900 << 20), zeros(900),
    ),
    "a map of a sparse file in a header": lambda: tgz(
        (extended(b"x", record("GNU.sparse.map", "0,1," * 15_000 + "0,0")) + header(b"m")) * 300
    ),
    "an old sparse file with maps without end": lambda: tgz(
        header(b"m", size=900 << 20, kind=b"S"), (SPARSE_MAP * 1000 for _n in range(400)),
    ),
    "a binary size beyond all disks": lambda: tgz(header(b"m", raw_size=b"\x80" + b"\x7f" * 11)),
    "a negative binary size": lambda: tgz(header(b"m", raw_size=b"\xff" * 12)),
    "a size of 10^15 in records": lambda: tgz(extended(b"x", record("size", "9" * 15)), header(b"m"), zeros(200)),
    "900 MB of zeros in one file": lambda: tgz(header(b"m", size=900 << 20), zeros(900)),
    "900 MB of zeros after the end": lambda: [("a.tar.gz", packed(header(b"main.py"), bytes(1024), zeros(900)))],
    "900 MB behind a link": lambda: tgz(header(b"m", size=900 << 20, kind=b"2"), zeros(900)),
    "9,990 names of accents out of order": lambda: tgz(
        extended(b"x", record("path", "\u0315\u0300\u0327" * 40 + f"/{n:x}")) + header(b"m") for n in range(9990)
    ),
    "49,000 empty gzip members": lambda: [("a.tar.gz", gzip.compress(b"") * 49_000)],
    "a gzip header with a name of 1 MB": lambda: [("a.tar.gz", b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 990_000)],
    "a gzip of 190,000 empty blocks": lambda: [
        ("a.tar.gz", b"\x1f\x8b\x08\x00" + bytes(6) + b"\x00\x00\x00\xff\xff" * 190_000)
    ],
    "190 archives of 1 MB of zeros each": lambda: [
        (f"a{n}.tar.gz", packed(header(b"f%d" % n, size=1 << 20), zeros(1), bytes(1024))) for n in range(190)
    ],
    "190 archives of long targets": lambda: [
        (f"a{n}.tar.gz", packed((extended(b"K", b"a" * 64_000) for _k in range(50)), bytes(1024))) for n in range(190)
    ],
}  # fmt: skip
