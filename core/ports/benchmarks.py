"""The benchmarks that this site offers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from core.domain.benchmark import Benchmark


class BenchmarkPort(Protocol):
    """The site's benchmarks; all methods raise Unavailable when their folder cannot be read."""

    def list_benchmarks(self) -> Sequence[Benchmark]:
        """All well-formed benchmarks, by name."""
        ...

    def get(self, name: str) -> Benchmark:
        """Raises NotFound."""
        ...

    def data_folder(self, name: str) -> Path:
        """The folder with the public data. Raises NotFound."""
        ...
