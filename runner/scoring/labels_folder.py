"""The site's folder of hidden labels, as a runner sees it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.errors import LeadersboardError
from scorer.manifest import manifest

OWN_PROGRAM = "score.py"
Look = tuple[tuple[str, int, int, int, int], ...]
"""Of each file: its path, inode, size, time of the last change of its content, and of its inode; in ns."""


class NoLabels(LeadersboardError):
    """Raised when a benchmark's labels are missing or cannot be read; an admin puts them there."""

    code = "no_labels"


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """The labels of one benchmark at one moment."""

    path: Path
    sha256: str
    """Their manifest hash."""
    has_program: bool
    """Whether they bring a `score.py` of their own."""


@dataclass(kw_only=True)
class LabelsFolder:
    """Lives as long as its process; remembers the hash of labels whose files look the same as before."""

    root: Path
    _known: dict[str, tuple[Look, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, benchmark: str) -> Labels:
        """The labels of this benchmark as they are now. Raises NoLabels."""
        path = self.root / benchmark
        try:
            look = _look(path)
            with self._lock:
                if (known := self._known.get(benchmark)) is None or known[0] != look:
                    known = self._known[benchmark] = (look, manifest(path))
        except OSError as error:
            raise NoLabels(
                f"The labels of {benchmark!r} cannot be read on this runner: {error.strerror or error}. They belong "
                f"into {path}; see docs/scoring.md."
            ) from error
        if not look:
            raise NoLabels(f"The folder of labels of {benchmark!r} is empty on this runner: {path}.")
        has_program = any(name == OWN_PROGRAM for name, *_rest in look)
        return Labels(path=path, sha256=known[1], has_program=has_program)


def _look(folder: Path) -> Look:
    found = []
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                    continue
                seen = entry.stat()
                name = os.path.relpath(entry.path, folder)
                found.append((name, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns))
    return tuple(sorted(found))
