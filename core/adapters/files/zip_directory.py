"""Opens a zip from untrusted senders: its directory is counted before it is interpreted, its members are checked."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from typing import IO

from core.adapters.files.file_tree import no_plain_file, too_many
from core.domain.errors import InvalidInput, TooLarge
from core.domain.submission import shown

LARGEST_DIRECTORY = 4 * 1024 * 1024
"""Most bytes of a zip's central directory: 10,000 entries with names of about 300 bytes."""
LARGEST_EXTRA = 2 * 1024
"""Most bytes of one entry's extra fields, which the reader copies once per field; tools write up to about 100."""
BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
COMPRESSIONS = {6: "Implode", 9: "Deflate64", 12: "BZip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_ENTRY = b"PK\x01\x02"
_ENTRY_BYTES = 46
_LOCAL_BYTES = 30


class _Bounded:
    """A file for `zipfile`: no single read is large, and the directory is counted as soon as it is read."""

    def __init__(self, source: IO[bytes], entries: int) -> None:
        self._source = source
        self._entries = entries
        self.is_open = False
        """True once the directory has been read."""

    def read(self, size: int = -1) -> bytes:
        content = self._source.read(size if 0 <= size <= LARGEST_DIRECTORY else LARGEST_DIRECTORY + 1)
        if len(content) > LARGEST_DIRECTORY:
            raise TooLarge.of("files", "an archive's directory is too large")
        if not self.is_open:
            _count(content, self._entries)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:  # damaged directory; a real file would raise a disk's error
            raise ValueError("negative position")
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def seekable(self) -> bool:
        return True


def opened(archive: IO[bytes], entries: int) -> zipfile.ZipFile:
    """A zip of at most `entries` entries. Raises TooLarge, and what zipfile raises for a damaged file."""
    archive.seek(0)
    if archive.read(4) not in BEGINNINGS:
        raise zipfile.BadZipFile("something stands before the archive")
    bounded = _Bounded(archive, entries)
    found = zipfile.ZipFile(bounded)
    bounded.is_open = True
    return found


def _count(directory: bytes, entries: int) -> None:
    """Checks the number of a directory's entries and their extra fields; other data is left to zipfile."""
    for count, (_name, extra) in enumerate(_entries(directory), 1):
        if count > entries:
            names = (name.decode("latin-1").replace("\\", "/") for name, _extra in _entries(directory))
            raise too_many(entries, [name for name in names if not name.endswith("/")])
        if extra > LARGEST_EXTRA:
            raise TooLarge.of("files", f"an entry of an archive has more than {LARGEST_EXTRA} bytes of extra fields")


def _entries(directory: bytes) -> Iterator[tuple[bytes, int]]:
    """The name of each entry, and the size of its extra fields in bytes."""
    at = 0
    while directory.startswith(_ENTRY, at) and at + _ENTRY_BYTES <= len(directory):
        name, extra, comment = struct.unpack_from("<3H", directory, at + 28)
        at += _ENTRY_BYTES
        yield directory[at : at + name], extra
        at += name + extra + comment


def check_member(member: zipfile.ZipInfo, name: str) -> None:
    """Raises InvalidInput for members that are no plain files or folders, or cannot be unpacked within bounds."""
    if member.flag_bits & 0x1:
        raise InvalidInput.of("files", f"{shown(name)} is encrypted; zip again without a password")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise InvalidInput.of("files", no_plain_file(name))
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        method = COMPRESSIONS.get(member.compress_type, "another compression")
        rule = f"{shown(name)} uses {method}; zip again with the method Deflate, or send a .tar.gz"
        raise InvalidInput.of("files", rule)
    if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
        raise InvalidInput.of("files", f"{shown(name)} has two sizes; the archive is damaged: zip again")


def check_apart(archive: zipfile.ZipFile) -> None:
    """Raises InvalidInput if two members share bytes of the file, or one overlaps the directory."""
    ends_at = 0
    for member in sorted(archive.infolist(), key=lambda one: one.header_offset):
        if member.header_offset < ends_at:
            raise InvalidInput.of("files", f"{shown(member.orig_filename)} lies inside another member of the archive")
        ends_at = member.header_offset + _LOCAL_BYTES + member.compress_size
    if ends_at > archive.start_dir:
        raise InvalidInput.of("files", "a member of an archive is larger than the archive")
