"""Bounds downloads: how many at once, how many bytes together, how long a client may receive nothing.

MLflow holds in memory what its client has not received yet, up to a whole file. Without these bounds one user who opens
files and reads none of them could fill that memory.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from core.domain.errors import LimitReached

OF_ONE_USER = 4
OF_ALL = 16
BYTES_OF_ALL = 768 * 1024**2
"""Less than compose's MLflow has beyond its own needs. A single file may be larger."""
UNKNOWN_BYTES = 64 * 1024**2
"""Counted for a file whose size MLflow does not report."""
STILL_SECONDS = 30.0
"""A client that receives nothing for this time is disconnected."""
RETRY_SECONDS = 10


@dataclass(kw_only=True, slots=True)
class OpenFile:
    """One file being sent."""

    files: OpenFiles
    size_bytes: int = 0

    def weigh(self, size_bytes: int | None) -> None:
        """Count the file's bytes until it is closed. Raises LimitReached."""
        self.files.take(self, UNKNOWN_BYTES if size_bytes is None else size_bytes)


class OpenFiles:
    """The files that this process is sending; lives as long as the app. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_user: Counter[str] = Counter()
        self._bytes = 0

    @contextmanager
    def one_of(self, user_id: str) -> Iterator[OpenFile]:
        """Count one file of this user until the context ends. Raises LimitReached."""
        with self._lock:
            if self._of_user[user_id] >= OF_ONE_USER:
                raise _refusal(f"You are downloading {OF_ONE_USER} files, which is the most at once.")
            if self._of_user.total() >= OF_ALL:
                raise _refusal(f"{OF_ALL} files are being downloaded, which is the most at once.")
            self._of_user[user_id] += 1
        file = OpenFile(files=self)
        try:
            yield file
        finally:
            with self._lock:
                self._bytes -= file.size_bytes
                self._of_user[user_id] -= 1
                if not self._of_user[user_id]:
                    del self._of_user[user_id]

    def take(self, file: OpenFile, size_bytes: int) -> None:
        """Count a file's bytes. Raises LimitReached when, with other open files, they exceed BYTES_OF_ALL."""
        with self._lock:
            if self._bytes and self._bytes + size_bytes > BYTES_OF_ALL:
                raise _refusal("Other large files are being downloaded.")
            self._bytes += size_bytes
            file.size_bytes = size_bytes


def _refusal(sentence: str) -> LimitReached:
    return LimitReached(f"{sentence} Try again when one has ended.", retry_after_seconds=RETRY_SECONDS)


class BoundedStream(StreamingResponse):
    """A streamed answer whose client must keep receiving."""

    async def stream_response(self, send: Send) -> None:
        """Raises TimeoutError, which ends the connection, when one piece takes longer than STILL_SECONDS."""

        async def in_time(message: Message) -> None:
            with anyio.fail_after(STILL_SECONDS):
                await send(message)

        await super().stream_response(in_time)
