"""Uploads of at most 1 MB, each built to cost far more than its size: as files, and as a raw form."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator

MOST_BYTES = 1_000_000
BOUNDARY = "b" * 32
MAIN = b"print(1)\n"
Files = list[tuple[str, bytes]]


# --- tar, written block by block: no library writes such archives ---


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
    "50,000 empty gzip members": lambda: [("a.tar.gz", gzip.compress(b"") * 49_000)],
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


# --- zip ---


def entry(
    name: bytes, *, extra: bytes = b"", comment: bytes = b"", at: int = 0, size: int = 0, plain: int = 0
) -> bytes:
    """One entry of a central directory."""
    fixed = (b"PK\1\2", 20, 20, 0, 8, 0, 33, 0, size, plain, len(name), len(extra), len(comment), 0, 0, 0, at)
    return struct.pack("<4s6H3L5H2L", *fixed) + name + extra + comment


def zipped_by_hand(entries: bytes, *, count: int, before: bytes = b"PK\3\4" + bytes(26), comment: bytes = b"") -> Files:
    """A zip whose end-of-directory record has the given count and comment."""
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entries), len(before), len(comment))
    return [("a.zip", before + entries + end + comment)]


def real_zip(files: Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return out.getvalue()


def last_one_damaged() -> Files:
    content = bytearray(real_zip(((f"{n:x}", b"") for n in range(7000)), zipfile.ZIP_STORED))
    extra = real_zip([*((f"{n:x}", b"") for n in range(7000)), ("last", b"x" * 50)], zipfile.ZIP_STORED)
    content[:] = extra.replace(b"x" * 50, b"x" * 49 + b"y")
    return [("a.zip", bytes(content))]


def zip64_end() -> Files:
    """A zip whose 64-bit end record claims 2^40 entries in a directory of 2^50 bytes."""
    ((_name, whole),) = zipped_by_hand(entry(b"main.py"), count=0xFFFF)
    at = whole.index(b"PK\5\6")
    record64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 1 << 50, 30)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
    return [("a.zip", whole[:at] + record64 + locator + whole[at:])]


NOISE = random.Random(0).randbytes(900_000)
LYING = struct.pack("<2H2Q", 1, 16, 1 << 63, 1 << 63)
SAME = real_zip([("a", bytes(90_000_000))])
ZIPS: dict[str, Callable[[], Files]] = {
    "21,000 entries where the end says one": lambda: zipped_by_hand(
        b"".join(entry(b"%x" % n) for n in range(19_000)), count=1
    ),
    "extra fields of no length, 64 KB an entry": lambda: zipped_by_hand(
        b"".join(entry(b"%x" % n, extra=b"\x99\x99\0\0" * 16_000) for n in range(15)), count=15
    ),
    "extra fields of no length, 2 KB an entry": lambda: zipped_by_hand(
        b"".join(entry(b"%x" % n, extra=b"\x99\x99\0\0" * 512) for n in range(470)), count=470
    ),
    "names of 64 KB": lambda: zipped_by_hand(b"".join(entry(b"%x" % n + b"n" * 65_000) for n in range(15)), count=15),
    "comments of 64 KB": lambda: zipped_by_hand(
        b"".join(entry(b"%x" % n, comment=b"c" * 65_000) for n in range(14)), count=14, comment=b"PK\5\6" * 16_000
    ),
    "10,000 entries on one content of 90 MB": lambda: zipped_by_hand(
        b"".join(entry(b"%x" % n, size=len(SAME) - 31, plain=90_000_000) for n in range(9000)), count=9000,
        before=SAME[: SAME.index(b"PK\1\2")],
    ),
    "900 MB of zeros": lambda: [("a.zip", real_zip([(f"{n}", bytes(90_000_000)) for n in range(10)]))],
    "99 MB of zeros, within the ratio": lambda: [
        ("a.zip", real_zip([*((f"{n}", bytes(9_000_000)) for n in range(9)), ("pad", NOISE), ("main.py", MAIN)]))
    ],
    "sizes of 2^63": lambda: zipped_by_hand(
        entry(b"main.py", extra=LYING, size=0xFFFFFFFF, plain=0xFFFFFFFF), count=1
    ),
    "an end of 64 bits that lies": zip64_end,
    "7,000 entries, 30 folders deep": lambda: [("a.zip", real_zip((deep(n), b"") for n in range(5200)))],
    "7,000 entries, the last one damaged": last_one_damaged,
    "9,000 empty files": lambda: [("a.zip", real_zip([("main.py", MAIN), *((f"{n:x}", b"") for n in range(8500))]))],
    "a zip of a zip of a zip": lambda: [("a.zip", real_zip([("b.zip", real_zip([("c.zip", SAME)]))]))],
    "190 zips with 90 entries each": lambda: [
        (f"a{n}.zip", real_zip([*((f"{n}-{k}", b"") for k in range(40)), (f"{n}/main.py", MAIN)])) for n in range(190)
    ],
}  # fmt: skip


# --- forms ---


def part(name: str, content: bytes = b"", *, more: bytes = b"") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'.encode()
    return head + more + b"\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
METADATA = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'.encode()
FORMS: dict[str, Callable[[], bytes]] = {
    "nothing but line ends": lambda: part("main.py", b"\r\n" * 490_000) + END,
    "nothing but carriage returns": lambda: part("main.py", b"\r" * 990_000) + END,
    "beginnings of boundaries": lambda: part("main.py", (b"\r\n--" + b"b" * 31) * 28_000) + END,
    "200 files with headers of 4 KB": lambda: b"".join(
        part(f"{n}.py", more=b"X: " + b"y" * 4000 + b"\r\n") for n in range(200)
    ) + END,
    "10,000 parts": lambda: b"".join(part(f"{n}.py") for n in range(7000)) + END,
    "a header without end": lambda: part("main.py", more=b"X: " + b"y" * 900_000),
    "nothing but boundaries": lambda: f"--{BOUNDARY}\r\n".encode() * 27_000,
    "metadata of deep JSON": lambda: part("main.py", MAIN) + METADATA + b"[" * 65_000 + b"\r\n" + END,
    "metadata of numbers": lambda: part("main.py", MAIN) + METADATA + b'{"a":[' + b"1e5," * 16_000 + b"1]}\r\n" + END,
    "a name of quotes": lambda: part('\\"' * 1900 + ".py", MAIN) + END,
    "a requirements.txt of one long line": lambda: part("requirements.txt", b"a" * 990_000) + END,
}  # fmt: skip


def form_of(files: Files) -> bytes:
    """A whole form with these files."""
    return b"".join(part(name, content) for name, content in files) + END


def every() -> dict[str, Callable[[], bytes]]:
    """Each upload as the body of its form."""
    archives = {f"tar: {name}": make for name, make in TARS.items()} | {
        f"zip: {name}": make for name, make in ZIPS.items()
    }
    bodies: dict[str, Callable[[], bytes]] = {
        name: lambda make=make: form_of(make()) for name, make in archives.items()
    }  # type: ignore[misc]
    return bodies | {f"form: {name}": make for name, make in FORMS.items()}
