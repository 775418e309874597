"""Splits a live log into lines that are safe to print, each marked as the platform's or the program's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from client.cli.terminal import harmless

LONGEST_LINE = 64 * 1024
Range = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """A line made safe, and whether the platform wrote it: known from its channel, not from its text."""

    text: str
    platform: bool = False


class LogLines:
    """Turns pieces of a log into lines; lives as long as the log is followed."""

    def __init__(self) -> None:
        self._rest = ""
        self._rest_is_ours = False

    def feed(self, piece: str, platform: Iterable[Range] = ()) -> list[LogLine]:
        """The lines completed by this piece; `platform`: the ranges of it that the platform wrote."""
        lines: list[LogLine] = []
        for text, is_ours in _parts(piece, platform):
            if self._rest and is_ours != self._rest_is_ours:
                lines += self.finish()
            self._rest_is_ours = is_ours
            lines += self._whole_lines(text)
        return lines

    def finish(self) -> list[LogLine]:
        """The incomplete last line, at the end of the log."""
        rest, self._rest = self._rest, ""
        return [_shown(rest, platform=self._rest_is_ours)] if rest else []

    def _whole_lines(self, text: str) -> list[LogLine]:
        *whole, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > LONGEST_LINE:
            whole, self._rest = [*whole, self._rest], ""
        return [_shown(line, platform=self._rest_is_ours) for line in whole]


def _parts(piece: str, platform: Iterable[Range]) -> Iterator[tuple[str, bool]]:
    at = 0
    for start, end in platform:
        if at < start:
            yield piece[at:start], False
        yield piece[start:end], True
        at = end
    if piece[at:]:
        yield piece[at:], False


def _shown(line: str, *, platform: bool) -> LogLine:
    # A carriage return restarts the line, so only the last state of a progress bar is kept.
    return LogLine(text=harmless(line.rstrip("\r").rsplit("\r", 1)[-1]), platform=platform)
