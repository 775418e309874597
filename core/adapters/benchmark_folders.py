"""Benchmarks as folders with a `benchmark.yaml` each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import structlog
import yaml

from core.domain.benchmark import BENCHMARK_NAME, Benchmark
from core.domain.errors import NotFound, Unavailable

log = structlog.get_logger(__name__)


class BenchmarkFolders:
    """BenchmarkPort on a folder; read anew at each call, so that a new benchmark needs no restart."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list_benchmarks(self) -> Sequence[Benchmark]:
        try:
            paths = [folder / "benchmark.yaml" for folder in sorted(self._root.iterdir())]
        except OSError as error:
            raise Unavailable("The benchmarks folder", error.strerror or type(error).__name__) from error
        return tuple(found for path in paths if path.is_file() and (found := _current(path)))

    def get(self, name: str) -> Benchmark:
        path = self._root / name / "benchmark.yaml"
        found = _current(path) if re.fullmatch(BENCHMARK_NAME, name) and path.is_file() else None
        if found is None:
            raise NotFound("benchmark", name)
        return found

    def data_folder(self, name: str) -> Path:
        return self._root / name / self.get(name).data


def _current(path: Path) -> Benchmark | None:
    """As the file is now: read anew when it has changed."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return _read(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=256)
def _read(path: Path, _modified: int, _size: int) -> Benchmark | None:
    """The benchmark, or None and a word in the server's log when its file is bad: one bad file hides no other."""
    try:
        found = Benchmark.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:  # pydantic's and a bad date are ValueErrors
        log.warning("benchmark refused", file=str(path), error=str(error))
        return None
    if found.name != path.parent.name:
        log.warning("benchmark refused", file=str(path), error=f"its name {found.name!r} differs from its folder's")
        return None
    return found
