"""The data of trials: a few pictures of each benchmark, copied once per version into folders of their own.

Copies and no links: a run's data must not change with the benchmark's, nor a link's file be one with the benchmark's.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from core.domain.benchmark import Benchmark
from core.domain.errors import LeadersboardError
from core.domain.trial import GENEROSITIES, few_of, tried_categories

FOLDER = ".trials"
IDS = "ids.json"
MOST_BYTES = 256 * 1024**2
MOST_FILES = 200_000
"""Entries of a benchmark that are looked at."""
UNUSED_SECONDS = 3600.0
"""Far longer than any trial; after that an unused copy is removed, and with it those of benchmarks that went."""
TRIES = 3
MOVING = "The data of {name!r} is incomplete, or being changed. Try again in a few minutes, or ask an admin."

Seen = tuple[int, int]
"""Size in bytes and time of the last change in ns."""


class NoTrial(LeadersboardError):
    """Raised when a benchmark allows no trial; its jobs run as ever."""

    code = "no_trial"


class Changing(Exception):
    """Raised when a file of the benchmark changes while it is copied."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FewPictures:
    """The data of a trial: a folder that is mounted in place of the benchmark's."""

    path: Path
    categories: tuple[str, ...]
    files: int
    files_of_all: int
    """How many files these categories have in the whole benchmark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialData:
    """Safe in every runner of a host at once: a copy becomes visible by one rename."""

    job_root: Path

    def of(self, benchmark: Benchmark, data: Path) -> FewPictures:
        """The copy for this benchmark as it is now, made if there is none. Raises NoTrial, OSError."""
        for left in reversed(range(TRIES)):
            try:
                return self._of(benchmark, data)
            except (Changing, FileNotFoundError):
                if not left:
                    raise NoTrial(MOVING.format(name=benchmark.name)) from None
        raise AssertionError("the last try returns or raises")

    def clear(self) -> Iterator[str]:
        """Removes copies that no trial has used for UNUSED_SECONDS, half-made ones included; yields their names."""
        root = self.job_root / FOLDER
        for path in list(root.iterdir()) if root.is_dir() else []:
            if _is_unused(path):
                shutil.rmtree(path, ignore_errors=True)
                yield path.name

    def _of(self, benchmark: Benchmark, data: Path) -> FewPictures:
        categories = tried_categories(benchmark.categories)
        seen = _seen(data, categories, benchmark.name)
        chosen = _chosen(seen, benchmark.name)
        path = self.job_root / FOLDER / f"{benchmark.name}.{_version(categories, chosen)}"
        if not path.is_dir():
            self._make(path, data, chosen, categories)
        os.utime(path)
        return FewPictures(path=path, categories=categories, files=len(chosen), files_of_all=len(seen))

    def _make(self, path: Path, data: Path, chosen: dict[str, Seen], categories: tuple[str, ...]) -> None:
        fresh = path.with_name(f".new-{secrets.token_hex(8)}")
        try:
            for folder in (fresh, *(fresh / name for name in categories)):
                folder.mkdir(parents=True)
            for name, expected in chosen.items():
                _copy(data / name, fresh / name, expected)
            if IDS in chosen:
                _list_chosen(fresh / IDS, chosen)
            open_to_runs(fresh)
            try:
                fresh.rename(path)
            except OSError:  # another runner was first
                if not path.is_dir():
                    raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _seen(data: Path, categories: tuple[str, ...], name: str) -> dict[str, Seen]:
    """The plain files of these categories and those beside them; of a benchmark without categories all files."""
    found: dict[str, Seen] = {}
    places = [data / category for category in categories] or [data]
    for entry in _entries(data, places):
        if len(found) >= MOST_FILES:
            raise NoTrial(f"No trial of {name!r} is possible: its data has too many files. Submit the job itself.")
        status = entry.stat(follow_symlinks=False)
        found[os.path.relpath(entry.path, data)] = (status.st_size, status.st_mtime_ns)
    return found


def _entries(data: Path, places: list[Path]) -> Iterator[os.DirEntry[str]]:
    """Every plain file below these places, and those in the data's folder itself; links are not followed."""
    yield from (entry for entry in _listed(data) if entry.is_file(follow_symlinks=False) and data not in places)
    waiting = list(places)
    while waiting:
        for entry in _listed(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _chosen(seen: dict[str, Seen], name: str) -> dict[str, Seen]:
    for share in GENEROSITIES:
        chosen = {path: seen[path] for path in few_of(seen, share)}
        if sum(size for size, _changed in chosen.values()) <= MOST_BYTES:
            return chosen
    raise NoTrial(f"No trial of {name!r} is possible: its pictures are too large. Submit the job itself.")


def _version(categories: tuple[str, ...], chosen: dict[str, Seen]) -> str:
    text = repr((categories, sorted(chosen.items())))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def _copy(source: Path, target: Path, expected: Seen) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
    status = source.stat(follow_symlinks=False)
    if (status.st_size, status.st_mtime_ns) != expected or target.stat(follow_symlinks=False).st_size != expected[0]:
        raise Changing


def open_to_runs(folder: Path) -> None:
    """Lets the user of a run, which owns none of these files, read all that is in the folder."""
    for place, _folders, names in os.walk(folder):
        Path(place).chmod(0o755)
        for name in names:
            (Path(place) / name).chmod(0o644)


def _list_chosen(path: Path, chosen: Collection[str]) -> None:
    """Leaves in the list of a verified benchmark's test pictures those that are there."""
    there = {(place.parts[0], place.stem) for place in map(PurePath, chosen) if len(place.parts) > 1}
    try:
        listed = json.loads(path.read_bytes())
        few = {name: [one for one in ids if (name, str(one)) in there] for name, ids in listed.items()}
    except (ValueError, AttributeError, TypeError, RecursionError):  # another file of this name: as it is
        return
    path.write_text(json.dumps({name: ids for name, ids in few.items() if ids}))


def _is_unused(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - UNUSED_SECONDS
    except FileNotFoundError:  # another runner was first
        return False
