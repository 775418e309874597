"""Zip archives that cost far more than their size: real ones, and directories written by hand."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable, Iterable

from tests.hostile_uploads.tars import MAIN, Files, deep


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
    "19,000 entries where the end says one": lambda: zipped_by_hand(
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
    "9,000 entries on one content of 90 MB": lambda: zipped_by_hand(
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
    "5,200 entries, 30 folders deep": lambda: [("a.zip", real_zip((deep(n), b"") for n in range(5200)))],
    "7,000 entries, the last one damaged": last_one_damaged,
    "8,500 empty files": lambda: [("a.zip", real_zip([("main.py", MAIN), *((f"{n:x}", b"") for n in range(8500))]))],
    "a zip of a zip of a zip": lambda: [("a.zip", real_zip([("b.zip", real_zip([("c.zip", SAME)]))]))],
    "190 zips with 41 entries each": lambda: [
        (f"a{n}.zip", real_zip([*((f"{n}-{k}", b"") for k in range(40)), (f"{n}/main.py", MAIN)])) for n in range(190)
    ],
}  # fmt: skip
