"""Decompresses gzip from untrusted senders: zlib reads the headers, and the number of members is bounded."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import IO, Any

from core.domain.errors import TooLarge

LARGEST_COUNT = 1000
"""Gzip members in one file. Each needs a decompressor of its own; parallel packers write a few dozen."""
PIECE = 16 * 1024
"""Compressed bytes given to zlib at once; what zlib has not consumed is copied at each call."""
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip(io.RawIOBase):
    """The decompressed bytes as a raw stream; wrap it in a BufferedReader.

    Python's own reader reads a file name in a gzip header byte by byte, and accepts any number of empty members. Raises
    zlib.error for data that is not gzip or has a wrong checksum, EOFError for a truncated file, TooLarge for too many
    members.
    """

    def __init__(self, source: IO[bytes], count: Callable[[int], None] = lambda _size: None) -> None:
        """`count` is called with the size of each decompressed piece, and may raise."""
        self._source = source
        self._count_bytes = count
        self._pending = b""
        self._count = 0
        self._member: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while self._member is not None or self._begin():
            content: bytes = self._member.decompress(self._pending, len(target))
            self._pending = self._member.unconsumed_tail
            if self._member.eof:
                self._pending = self._member.unused_data
                self._member = None
            if content:
                self._count_bytes(len(content))
                target[: len(content)] = content
                return len(content)
            if self._member is not None and not self._pending:
                self._pending = self._source.read(PIECE)
                if not self._pending:
                    raise EOFError("the archive ends in the middle")
        return 0

    def _begin(self) -> bool:
        """Whether another member follows; zeros between and after members are padding."""
        self._pending = self._pending.lstrip(b"\0") if self._count else self._pending
        while not self._pending and (more := self._source.read(PIECE)):
            self._pending = more.lstrip(b"\0") if self._count else more
        if not self._pending and self._count:
            return False
        self._count += 1
        if self._count > LARGEST_COUNT:
            raise TooLarge.of("files", f"a .tar.gz holds more than {LARGEST_COUNT} gzip members")
        self._member = zlib.decompressobj(_GZIP)
        return True
