"""Bounds on files that are being sent: how many, how many bytes together, how long a receiver may stand still.

MLflow holds in its memory what its receiver has not taken yet, a whole file if need be. Without these bounds one user
who opens files and reads none of them would take all of it.
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
"""Below the memory of compose's MLflow beside what that needs for itself. One file alone may be larger."""
UNKNOWN_BYTES = 64 * 1024**2
"""What a file counts whose size MLflow does not say."""
STILL_SECONDS = 30.0
"""A receiver that takes nothing for so long is cut off."""
RETRY_SECONDS = 10


@dataclass(kw_only=True, slots=True)
class OpenFile:
    """One file that is being sent."""

    files: OpenFiles
    size_bytes: int = 0

    def weigh(self, size_bytes: int | None) -> None:
        """Count the file's bytes until it is closed. Raises LimitReached."""
        self.files.take(self, UNKNOWN_BYTES if size_bytes is None else size_bytes)


class OpenFiles:
    """The files that this process is sending; lives as long as the app, used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_user: Counter[str] = Counter()
        self._bytes = 0

    @contextmanager
    def one_of(self, user_id: str) -> Iterator[OpenFile]:
        """Hold a place for one file of this user until the context ends. Raises LimitReached."""
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
        """Count the bytes of a file. Raises LimitReached, also for a file that would fit if it were alone."""
        with self._lock:
            if self._bytes and self._bytes + size_bytes > BYTES_OF_ALL:
                raise _refusal("Other large files are being downloaded.")
            self._bytes += size_bytes
            file.size_bytes = size_bytes


def _refusal(sentence: str) -> LimitReached:
    return LimitReached(f"{sentence} Try again when one has ended.", retry_after_seconds=RETRY_SECONDS)


class BoundedStream(StreamingResponse):
    """A streamed answer whose receiver must keep taking it."""

    async def stream_response(self, send: Send) -> None:
        """Raise TimeoutError, which ends the connection, when the receiver stands still."""

        async def in_time(message: Message) -> None:
            with anyio.fail_after(STILL_SECONDS):
                await send(message)

        await super().stream_response(in_time)
