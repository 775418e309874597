"""What a look at a benchmark's folder found: each fault with its path and what to do about it (FLD-9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_FINDINGS = 1000


class Condition(StrEnum):
    """The condition of a benchmark."""

    GOOD = "good"
    FAULTY = "faulty"
    """Its data has faults; jobs are taken."""
    BROKEN = "broken"
    """Its benchmark.yaml is refused: it takes no jobs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One fault. `path` lies below the benchmark's folder; `line` is one of benchmark.yaml, counted from 1."""

    path: str
    rule: str
    line: int | None = None
    is_note: bool = False
    """Whether it is only worth knowing."""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchmarkCheck:
    """The findings about one benchmark, at most MOST_FINDINGS of them."""

    name: str
    findings: Sequence[Finding] = ()
    more: int = 0
    """How many more there are."""
    is_listed: bool = True
    """Whether its benchmark.yaml is accepted, so that jobs are taken."""
    pictures: int = 0
    """How many pictures and masks were read."""
    unseen: str = ""
    """Why not everything was looked at; empty if it was."""

    @property
    def condition(self) -> Condition:
        if not self.is_listed:
            return Condition.BROKEN
        return Condition.FAULTY if any(not one.is_note for one in self.findings) else Condition.GOOD
