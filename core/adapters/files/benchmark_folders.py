"""Benchmarks as folders, each with a `benchmark.yaml`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
import yaml
from pydantic import ValidationError

from core.domain.benchmark import BENCHMARK_NAME, Benchmark
from core.domain.errors import NotFound, Unavailable

MAX_BYTES = 256 * 1024

log = structlog.get_logger(__name__)


class InvalidBenchmark(ValueError):
    """Raised when a benchmark.yaml breaks a rule; the text is for the admin who wrote it."""


class BenchmarkFolders:
    """BenchmarkPort on a folder; read again at each call, so that a new benchmark needs no restart."""

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
    """The benchmark as the file is now: read again if the file has changed."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return _read(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=256)
def _read(path: Path, _modified: int, _size: int) -> Benchmark | None:
    """The benchmark. If its file is bad: None, and a line in the server's log, so that one bad file hides no other."""
    try:
        return read_benchmark(path)
    except InvalidBenchmark as error:
        log.warning("benchmark refused", file=str(path), error=str(error))
        return None


def read_benchmark(path: Path) -> Benchmark:
    """The benchmark of this file. Raises InvalidBenchmark, with every rule that it breaks."""
    try:
        found = Benchmark.model_validate(yaml.safe_load(_bounded(path)))
    except ValidationError as error:
        raise InvalidBenchmark("; ".join(map(_words, error.errors()))) from error
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:  # a bad date is a ValueError
        raise InvalidBenchmark(str(error)) from error
    if found.name != path.parent.name:
        raise InvalidBenchmark(f"its name {found.name!r} differs from its folder's, {path.parent.name!r}")
    return found


def _bounded(path: Path) -> bytes:
    """The file's bytes. Raises ValueError if it is larger than MAX_BYTES."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    return raw


def _words(fault: Any) -> str:
    where = ".".join(map(str, fault["loc"]))
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def main(files: Sequence[str]) -> None:
    """`python -m core.adapters.files.benchmark_folders FILE...`: checks if a site would list each of these."""
    faults = 0
    for name in files:
        try:
            read_benchmark(Path(name).resolve())
        except InvalidBenchmark as error:
            faults += 1
            sys.stderr.write(f"{name} is refused: {error}\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
