"""Collects the findings that a probe prints, and the last line of its errors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from core.domain.limits import MIB
from core.domain.visible_text import visible
from core.ports.sandbox import Stream

MOST_PRINTED = MIB
MOST_ERRORS = 4096
LONGEST_LINE = 150


@dataclass(kw_only=True)
class Printed:
    """Holds the first MOST_PRINTED bytes of findings and the last MOST_ERRORS bytes of errors."""

    held: bytearray = field(default_factory=bytearray)
    errors: bytes = b""

    def output(self, chunk: bytes, stream: Stream) -> None:
        if stream is Stream.STDERR:
            self.errors = (self.errors + chunk)[-MOST_ERRORS:]
        elif len(self.held) < MOST_PRINTED:
            self.held += chunk

    def taken_of(self, _stream: Stream) -> int:
        return 0

    def incomplete(self) -> None:
        """Does nothing: missing findings are red anyway."""

    def settle(self) -> None:
        """Does nothing: the output is not kept on disk."""

    def findings(self) -> dict[str, Any]:
        """One finding per check; lines that are no findings are skipped."""
        found: dict[str, Any] = {}
        for line in bytes(self.held).splitlines():
            try:
                told = json.loads(line)
                found[str(told["check"])] = told["found"]
            except (ValueError, TypeError, KeyError):
                continue
        return found

    def last_error(self) -> str:
        """The last line of its errors that is not blank, safe to show; "" without one."""
        lines = [line for line in self.errors.decode(errors="replace").splitlines() if line.strip()]
        return visible(lines[-1].strip())[:LONGEST_LINE] if lines else ""
