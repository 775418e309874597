"""Benchmarks as folders, each with a `benchmark.yaml`."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import structlog

from core.adapters.files.benchmark_yaml import NAME, read_yaml
from core.domain.benchmark import BENCHMARK_NAME, Benchmark
from core.domain.benchmark_check import BenchmarkCheck
from core.domain.errors import Conflict, NotFound, Unavailable

log = structlog.get_logger(__name__)


class InvalidBenchmark(ValueError):
    """Raised when a benchmark.yaml breaks a rule; the text is for the admin who wrote it."""


class BenchmarkFolders:
    """BenchmarkPort on a folder; read again at each call, so that a new benchmark needs no restart."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._checking = threading.Lock()

    def list_benchmarks(self) -> Sequence[Benchmark]:
        paths = [folder / NAME for folder in self._folders()]
        return tuple(found for path in paths if path.is_file() and (found := _current(path)))

    def get(self, name: str) -> Benchmark:
        path = self._root / name / NAME
        found = _current(path) if re.fullmatch(BENCHMARK_NAME, name) and path.is_file() else None
        if found is None:
            raise NotFound("benchmark", name)
        return found

    def broken(self) -> Sequence[str]:
        return [folder.name for folder in self._meant() if _current(folder / NAME) is None]

    def check(self, name: str = "", *, seconds: float = 20.0) -> Sequence[BenchmarkCheck]:
        from core.adapters.files.benchmark_check import (  # noqa: PLC0415 runners, which never check, have no Pillow
            Budget,
            check_folder,
        )

        wanted = [folder for folder in self._meant() if name in {"", folder.name}]
        if name and not wanted:
            raise NotFound("benchmark", name)
        if not self._checking.acquire(blocking=False):
            raise Conflict("Another check of benchmarks is running. Ask again when it has ended, in a minute at most.")
        try:
            budget = Budget(seconds=seconds)
            return [check_folder(folder, budget=budget, with_pictures=bool(name)) for folder in wanted]
        finally:
            self._checking.release()

    def _meant(self) -> Sequence[Path]:
        """The folders that are meant to be benchmarks; others are the file system's own, or half installed."""
        return [
            folder
            for folder in self._folders()
            if not folder.name.startswith(".")
            and folder.is_dir()
            and ((folder / NAME).is_file() or re.fullmatch(BENCHMARK_NAME, folder.name))
        ]

    def _folders(self) -> Sequence[Path]:
        try:
            return sorted(self._root.iterdir())
        except OSError as error:
            raise Unavailable("The benchmarks folder", error.strerror or type(error).__name__) from error

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
    read = read_yaml(path)
    if read.benchmark is None:
        raise InvalidBenchmark("; ".join(f"{f'line {one.line}: ' * bool(one.line)}{one.rule}" for one in read.findings))
    return read.benchmark
