"""Caches installed packages by what was asked for: an entry is made aside, published by a rename, never written again.

    .dependencies/<key>/tree/          mounted read-only into runs
    .dependencies/<key>/record.json    its packages, and the digest of the tree
Only runners write here. A run that uses an entry has its key in its own folder (`dependencies`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog

from core.domain.errors import Unavailable

FOLDER = ".dependencies"
HELD = "dependencies"
STALE_SECONDS = 2 * 3600
"""A staging folder older than this is abandoned: the limit for installing is far below it."""

STAGING = re.compile(r"\.new-(?:([0-9A-Za-z]+-[0-9a-f]{16})-)?(?:gone-)?[0-9a-f]{16}")
"""Has the mark of its process, if that had one."""
LOCK_SECONDS = 60.0
LOOK_SECONDS = 0.1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One set of installed packages."""

    key: str
    path: Path
    packages: Sequence[Mapping[str, str]]

    @property
    def tree(self) -> Path:
        return self.path / "tree"


@dataclass(frozen=True, kw_only=True, slots=True)
class DependencyCache:
    """Shared by all runners of a site, below the folder of their jobs."""

    job_root: Path
    kept_bytes: int
    process: str = ""
    """The mark of this process, used in the names of its temporary files and folders."""

    @property
    def _root(self) -> Path:
        return self.job_root / FOLDER

    def held(self, key: str, run_folder: Path) -> Entry | None:
        """Returns the entry and reserves it for this run; None if there is none that matches its digest."""
        with self._locked():
            entry = self._read(self._root / key)
            if entry is None:
                return None
            (run_folder / HELD).write_text(key)
            os.utime(entry.path / "record.json")
        return entry

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yields a new folder beside the entries, removed at the end unless it was published."""
        path = self._new()
        (path / "tree").mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def publish(self, key: str, staging: Path, packages: Sequence[Mapping[str, str]]) -> None:
        """Makes the folder the entry for `key` by one rename; an entry that exists already stays as it is."""
        tree = staging / "tree"
        record = {"packages": list(packages), "digest": digest(tree), "bytes": _size(tree)}
        (staging / "record.json").write_text(json.dumps(record))
        with self._locked():
            if not (self._root / key).exists():
                staging.rename(self._root / key)
            self._make_room(key)

    def file(self, source: Path) -> Path:
        """Copies a local file to where the engine sees it, e.g. the certificates for the index. Returns its path."""
        self._root.mkdir(exist_ok=True)
        name, content = self._root / f".{source.name}", source.read_bytes()
        if not name.exists() or name.read_bytes() != content:
            beside = self._new()
            beside.write_bytes(content)
            beside.replace(name)
        return name

    def clear(self, is_dead: Callable[[str], bool]) -> int:
        """Removes temporary files of dead processes, and any older than STALE_SECONDS. Returns how many."""
        found = 0
        for path in self._root.glob(".new-*"):
            named = STAGING.fullmatch(path.name)
            if (named and named[1] and is_dead(named[1])) or _is_stale(path):
                _gone(path)
                found += 1
        return found

    def _new(self) -> Path:
        mark = f"{self.process}-" if self.process else ""
        return self._root / f".new-{mark}{secrets.token_hex(8)}"

    def _read(self, path: Path) -> Entry | None:
        try:
            record = json.loads((path / "record.json").read_text())
        except FileNotFoundError:
            return None
        if digest(path / "tree") != record["digest"]:
            log.error("kept packages are not what was installed; installed anew", key=path.name)
            self._drop(path)
            return None
        return Entry(key=path.name, path=path, packages=record["packages"])

    def _make_room(self, newest: str) -> None:
        """Removes the least recently used entries beyond `kept_bytes`; never one that a run holds, nor the newest."""
        used = {marker.read_text() for marker in self.job_root.glob(f"*/{HELD}")} | {newest}
        entries = sorted(self._root.glob("*/record.json"), key=lambda record: record.stat().st_mtime)
        sizes = {record.parent: int(json.loads(record.read_text())["bytes"]) for record in entries}
        excess = sum(sizes.values()) - self.kept_bytes
        for path, size in sizes.items():
            if excess > 0 and path.name not in used:
                self._drop(path)
                excess -= size
                log.info("kept packages removed", key=path.name, bytes=size)

    def _drop(self, path: Path) -> None:
        """Renames the entry away at once, then removes it; a run that has it mounted keeps it until its end."""
        gone = self._new()
        path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(exist_ok=True)
        with (self._root / ".lock").open("w") as file:
            _take(file)
            yield


def _is_stale(path: Path) -> bool:
    try:
        return path.lstat().st_mtime < time.time() - STALE_SECONDS
    except FileNotFoundError:
        return False


def _gone(path: Path) -> None:
    """Removes a folder or a file; another process may be removing it, too."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _take(lock: IO[str]) -> None:
    """Takes the lock. Raises Unavailable after LOCK_SECONDS: the process that has it may be paused."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise Unavailable("The kept packages", "another runner does not let go of them") from error
            time.sleep(LOOK_SECONDS)


def digest(tree: Path) -> str:
    """SHA-256 over all paths and contents."""
    whole = hashlib.sha256()
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(tree).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _size(tree: Path) -> int:
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
