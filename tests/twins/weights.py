"""Weights of a site in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.weights import Weights


@dataclass(kw_only=True, slots=True)
class MemoryWeights:
    """WeightsPort: what a test put here."""

    held: list[Weights] = field(default_factory=list)
    root: Path = Path("/shared/weights")

    def list_weights(self) -> Sequence[Weights]:
        return sorted(self.held, key=lambda one: (one.name.casefold(), one.path))

    def folder(self) -> Path | None:
        return self.root if self.held else None
