"""Writers of one log, and how they are killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.errors import LeaseLost
from core.ports.sandbox import Stream
from runner.job_log import journal as log_position
from runner.job_log import writer as log_writer
from runner.job_log.writer import LogWriter

LIMITS = {"max_bytes": 10**9, "max_lines": 10**9, "kept_bytes": 10**6}


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


class Death:
    """Lets so many bytes of writing pass, of whatever file, and then no more; the last write may be cut."""

    def __init__(self, after_bytes: int) -> None:
        self.left = after_bytes

    def write(self, file: int, content: bytes) -> int:
        cut = content[: self.left]
        self.left -= len(content)
        if cut:
            real_write(file, cut)
        if self.left < 0:
            raise Killed
        return len(content)

    def pwrite(self, file: int, content: bytes, offset: int) -> int:
        if self.left <= 0:
            raise Killed
        return real_pwrite(file, content, offset)


real_write, real_pwrite = os.write, os.pwrite


def ours() -> None:
    """The job is."""


def writer(
    folder: Path, limits: dict[str, int] = LIMITS, *, trusted: bool = True, confirm: Callable[[], None] = ours
) -> LogWriter:
    return LogWriter(folder / "job.log", position=folder / "position", trusted=trusted, confirm=confirm, **limits)


successor = writer


class Lease:
    """Held by one of two; `lost` for who asks after the other has it."""

    def __init__(self) -> None:
        self.lost = False

    def check(self) -> None:
        if self.lost:
            raise LeaseLost("it is another's")


def write_until_killed(log: LogWriter, steps: list[tuple[Stream | None, bytes]], death: Death) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_writer.os, "write", death.write)
        patch.setattr(log_position.os, "pwrite", death.pwrite)
        try:
            for stream, chunk in steps:
                if stream is None:
                    log.say(chunk.decode())
                else:
                    log.output(chunk, stream)
        except Killed:
            return
