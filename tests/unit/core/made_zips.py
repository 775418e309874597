"""Zips as Windows and older tools write them, which Python's zipfile does not."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib


def of_windows(*files: tuple[str, bytes]) -> bytes:
    """A zip whose members say that Windows made them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in files:
            member = zipfile.ZipInfo("x")
            member.filename, member.create_system, member.external_attr = name, 0, 0x20
            archive.writestr(member, content)
    return out.getvalue()


def with_raw_names(*files: tuple[bytes, bytes]) -> bytes:
    """A zip with names as bytes, and no flag that says in which encoding they are."""
    out = directory = b""
    for name, content in files:
        facts = (0x5AA1, zlib.crc32(content), len(content), len(content), len(name), 0)
        at = len(out)
        out += struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, *facts) + name + content
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, *facts, 0, 0, 0, 0x20, at) + name
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(files), len(files), len(directory), len(out), 0)
    return out + directory + end
