"""The benchmarks that this site offers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from core.domain.benchmark import Benchmark
from core.domain.benchmark_check import BenchmarkCheck


class BenchmarkPort(Protocol):
    """The site's benchmarks; all methods raise Unavailable when their folder cannot be read."""

    def list_benchmarks(self) -> Sequence[Benchmark]:
        """All well-formed benchmarks, by name."""
        ...

    def get(self, name: str) -> Benchmark:
        """Raises NotFound."""
        ...

    def broken(self) -> Sequence[str]:
        """Names of folders that are meant to be benchmarks and are not listed: their benchmark.yaml is refused."""
        ...

    def check(self, name: str = "", *, seconds: float = 20.0) -> Sequence[BenchmarkCheck]:
        """What is wrong with the folders, broken ones included, in at most `seconds`.

        Of one benchmark its pictures are read as well. Raises NotFound, and Conflict while another check runs.
        """
        ...

    def data_folder(self, name: str) -> Path:
        """The folder with the public data. Raises NotFound."""
        ...
