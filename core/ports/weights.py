"""The weights that this site has for every run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from core.domain.weights import Weights


class WeightsPort(Protocol):
    """The site's folder of weights; both methods raise Unavailable when it is there and cannot be read."""

    def list_weights(self) -> Sequence[Weights]:
        """All that runs can use, by name; empty if the folder is empty or missing."""
        ...

    def folder(self) -> Path | None:
        """The folder to mount into a run; None if it is empty or missing."""
        ...
