"""The hash of a benchmark's public data: over all its files, read once and known again by their sizes and times.

The manifest has one line for each file, sorted: `<SHA-256>  <path>`. Its own SHA-256 is kept in `.manifests/` below the
folder of jobs, for all runners of a host. A file is read again when any path, size or time of the data has changed; a
change that leaves all of them as they were is not seen.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from core.domain.limits import MIB

FOLDER = ".manifests"
MOST_FILES = 200_000
MUCH_BYTES = 256 * MIB
READING = "The benchmark's data ({size:.0f} MiB) is new or has changed: it is read once, for its hash."
WAIT_SECONDS = 0.5
UNUSED_SECONDS = 90 * 24 * 3600
_KNOWN = re.compile(r"[0-9a-f]{64} [0-9a-f]{64}")
_ONE_AT_A_TIME = threading.Lock()


class NoManifest(ValueError):
    """Raised when data has no hash; its own text is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataManifest:
    """Of one folder of data; `known` is where its hash is kept."""

    data: Path
    known: Path

    def seen(self) -> str:
        """A hash over the paths, sizes and times of all files; no file is read. Raises NoManifest."""
        whole = hashlib.sha256()
        for name, about in self._files():
            line = f"{about.st_size} {about.st_mtime_ns} {about.st_ctime_ns} {about.st_mode} {name}\n"
            whole.update(line.encode(errors="surrogateescape"))
        return whole.hexdigest()

    def sha256(self, seen: str, *, check: Callable[[], None], say: Callable[[str], None] = lambda _line: None) -> str:
        """The hash of the data that was `seen` so. Raises NoManifest if it has changed since, and what `check` raises.

        `check` is called before each MiB that is read, `say` before much is read. Of a process one thread reads at a
        time.
        """
        with _turn(check):
            if self.seen() != seen:
                raise NoManifest("the benchmark's data was changed while the run went on")
            if (found := self._kept(seen)) is None:
                if (size := sum(about.st_size for _name, about in self._files())) >= MUCH_BYTES:
                    say(READING.format(size=size / MIB))
                found = self._read(check)
                if self.seen() != seen:
                    raise NoManifest("the benchmark's data was changed while it was read")
                self._keep(seen, found)
        return found

    def _kept(self, seen: str) -> str | None:
        with suppress(OSError, UnicodeDecodeError):
            text = self.known.read_text()
            if _KNOWN.fullmatch(text) and text.startswith(f"{seen} "):
                os.utime(self.known)
                return text.partition(" ")[2]
        return None

    def _keep(self, seen: str, sha256: str) -> None:
        """A disk that does not take it costs nothing but the next reading."""
        beside = self.known.with_name(f".{self.known.name}")
        with suppress(OSError):
            self.known.parent.mkdir(exist_ok=True)
            beside.write_text(f"{seen} {sha256}")
            beside.replace(self.known)

    def _read(self, check: Callable[[], None]) -> str:
        try:
            lines = sorted(_line(name, _hash(self.data / name, about, check)) for name, about in self._files())
        except OSError as error:
            raise NoManifest(f"a file of the benchmark's data could not be read ({error.strerror})") from error
        return hashlib.sha256(b"".join(lines)).hexdigest()

    def _files(self) -> Sequence[tuple[str, os.stat_result]]:
        """Plain files and links, sorted by their names below the folder; whatever else there is a run cannot read."""
        root = os.fspath(self.data)
        try:
            names = sorted(_names(root))
            found = [(name, os.lstat(f"{root}/{name}")) for name in names]  # a Path for each costs more than its look
        except OSError as error:
            raise NoManifest(f"the benchmark's data could not be looked at ({error.strerror})") from error
        return [(name, about) for name, about in found if stat.S_ISREG(about.st_mode) or stat.S_ISLNK(about.st_mode)]


def _names(root: str) -> list[str]:
    """All files below a folder, by their names below it. Raises OSError, and NoManifest for too many."""

    def fail(error: OSError) -> NoReturn:
        raise error

    found: list[str] = []
    for place, _folders, names in os.walk(root, onerror=fail):
        below = f"{place[len(root) + 1 :]}/".lstrip("/")
        found += [below + name for name in names]
        if len(found) > MOST_FILES:
            raise NoManifest(f"the benchmark's data has more than {MOST_FILES} files")
    return found


def clear_manifests(job_root: Path) -> Iterator[str]:
    """Removes hashes that no run has asked for in UNUSED_SECONDS, those of removed benchmarks; yields their names."""
    for path in (job_root / FOLDER).glob("*"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - UNUSED_SECONDS:
                path.unlink()
                yield path.name


def _line(name: str, sha256: str) -> bytes:
    return f"{sha256}  {name}\n".encode(errors="surrogateescape")


def _hash(path: Path, about: os.stat_result, check: Callable[[], None]) -> str:
    """Of a file's content, or of a link's target, which is not followed."""
    if stat.S_ISLNK(about.st_mode):
        return hashlib.sha256(b"link to " + os.fsencode(path.readlink())).hexdigest()
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(MIB):
            check()
            whole.update(piece)
    return whole.hexdigest()


@contextmanager
def _turn(check: Callable[[], None]) -> Iterator[None]:
    while not _ONE_AT_A_TIME.acquire(timeout=WAIT_SECONDS):
        check()
    try:
        yield
    finally:
        _ONE_AT_A_TIME.release()
