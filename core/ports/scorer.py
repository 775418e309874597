"""Scoring a run's predictions in a throwaway container of ours, which alone sees the labels (SCO-2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.ports.sandbox import SandboxSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorerSpec:
    """What is scored, with what. Paths are as the engine sees them; all are mounted read-only."""

    run: SandboxSpec
    """The run, for labels and names; nothing else of it reaches the scorer."""
    image: str
    program: Path
    """Folder that holds the package `scorer`."""
    predictions: Path
    labels: Path
    own_program: bool = False
    """Whether the labels bring a `score.py`, which is run instead of the package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorerAnswer:
    """How a scorer ended, and what it left."""

    exit_code: int
    out_of_memory: bool = False
    timed_out: bool = False
    scores: bytes = b""
    """Its scores.json, cut one byte above the bound; empty if it wrote none."""
    words: str = ""
    """What it printed, bounded; it may quote labels, so it is shown to submitters only after exit code 3."""


class ScorerPort(Protocol):
    """The site's scorers."""

    def score(self, spec: ScorerSpec, *, check: Callable[[], None]) -> ScorerAnswer:
        """Runs one to its end, or to its time limit, and leaves nothing of it in the engine.

        `check` is called while it runs; what it raises ends the scorer. Raises Unavailable besides.
        """
        ...
