"""Checks a folder of the site: its mark exists, it can be written, and how much of its disk is free.

The mark is a small file in the root of the folder that names the site. Without it, the empty mount point of a file
system that is not mounted would look like any other empty folder.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from core.adapters.files.disk_space import NO_ROOM
from core.domain.errors import Unavailable
from core.domain.folders import FolderState
from core.ports.folders import FoldersPort

MARK = ".leadersboard"
PROOF = ".leadersboard-proof"
MOST_BYTES = 1024
ALWAYS_THERE = frozenset({"lost+found"})
ACCEPT = f"To use this folder as it is, make an empty file {MARK} in it."


class UnusableFolder(Exception):
    """Raised when a folder is not the one that the site has used so far."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderLook:
    """One process's check of one folder; each call may hang for as long as the folder's file system does."""

    name: str
    path: Path
    owner: str
    """The host or service that owns this folder; part of its key in the ledger and of the proof's file name."""
    site: Callable[[], str]
    """Returns the ledger's name. Raises Unavailable."""
    known: FoldersPort
    expected: Callable[[], bool]
    """Whether the ledger has a record that must have left files here. Raises Unavailable."""
    writes: bool = True
    """False if this process only reads; then it writes no mark."""
    marked: bool = True
    """False for a folder that others fill; it has no mark."""

    def __call__(self) -> FolderState:
        """Never raises."""
        state = FolderState(name=self.name, path=str(self.path))
        try:
            usage = shutil.disk_usage(self.path)
            state = replace(state, free_bytes=usage.free, total_bytes=usage.total)
            with suppress(Unavailable):  # without the ledger the mark cannot be judged
                self._check_mark()
            if self.writes:
                self._prove()
        except OSError as error:
            words = error.strerror or type(error).__name__
            return replace(state, fault=words[:120], full=error.errno in NO_ROOM)
        except UnusableFolder as error:
            return replace(state, fault=str(error)[:250], foreign=True)
        return state

    @property
    def _key(self) -> str:
        return f"{self.owner}:{self.path}"

    def _check_mark(self) -> None:
        found = read_mark(self.path) if self.marked else None
        if found:
            self._check_site(found)
            return
        if found is None:
            self._check_first_use()
        if self.writes and self.marked:
            self._write_mark()
            self.known.note(self._key)

    def _check_site(self, found: str) -> None:
        site = self.site()
        if found != site:
            raise UnusableFolder(
                f"it belongs to another site ({found[:40]}, and the ledger is {site}). "
                f"If this one is to have it, remove its file {MARK}."
            )

    def _check_first_use(self) -> None:
        """Accepts a fresh site's folder and one from a version without marks; refuses one that has lost its files."""
        if self.marked and self.known.is_known(self._key):
            raise UnusableFolder(f"its file {MARK} is gone. Is its file system mounted? {ACCEPT}")
        if _is_empty(self.path) and self.expected():
            hint = ACCEPT if self.marked else "Put its files back."
            raise UnusableFolder(f"it is empty, and the ledger has jobs. Is its file system mounted? {hint}")

    def _write_mark(self) -> None:
        text, beside = json.dumps({"site": self.site()}), self.path / f"{MARK}-new-{self.owner}"
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o644)
        beside.replace(self.path / MARK)

    def _prove(self) -> None:
        """Write, sync and remove a file. Tried twice: another process of this owner may be using the same file."""
        try:
            self._write_once()
        except OSError:
            self._write_once()

    def _write_once(self) -> None:
        proof = self.path / f"{PROOF}-{self.owner}"
        file = os.open(proof, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o640)
        try:
            os.write(file, b"This file shows that the folder can be written.\n")
            os.fsync(file)
        finally:
            os.close(file)
            proof.unlink(missing_ok=True)


def read_mark(folder: Path) -> str | None:
    """The site named in a folder's mark; "" for an empty mark, None without one. Raises OSError, UnusableFolder."""
    try:
        with (folder / MARK).open("rb") as file:
            text = file.read(MOST_BYTES)
    except FileNotFoundError:
        folder.stat()  # raises if the folder itself is missing, which is another fault
        return None
    if not text.strip():
        return ""
    try:
        return str(json.loads(text)["site"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableFolder(f"its file {MARK} cannot be read. Remove it if the folder is this site's.") from error


def _is_empty(folder: Path) -> bool:
    """Whether it is empty, apart from files that processes create by themselves: their names begin with a dot."""
    with os.scandir(folder) as entries:
        return all(entry.name.startswith(".") or entry.name in ALWAYS_THERE for entry in entries)
