"""Keeps the names that the ledger of this folder of jobs has had: a ledger that was emptied has a new name.

This site still removes what was started under an earlier name.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.adapters.files.bounded_look import BoundedLook

FOLDER = ".sites"
MOST = 100
NAME = re.compile(r"[0-9A-Za-z-]{1,64}")

log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class SiteNames:
    """An empty file for each name, named after it. Lives as long as its process; waits for storage in bounded time."""

    job_root: Path
    _unkept: set[str] = field(default_factory=set)
    _seen: tuple[str, ...] = ()
    _look: BoundedLook[tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._look = BoundedLook(look=self._kept_and_seen)

    def add(self, name: str) -> None:
        """Adds a name without waiting: it is stored at the next `all` that finds storage writable."""
        if NAME.fullmatch(name):
            self._unkept.add(name)

    def all(self) -> tuple[str, ...]:
        """The names, latest first; while the storage hangs, those that were seen last."""
        self._look.begin(anew=True)
        found = self._look.answer()
        return self._seen if isinstance(found, float) else found

    def _kept_and_seen(self) -> tuple[str, ...]:
        folder = self.job_root / FOLDER
        try:
            self._keep(folder)
        except OSError as error:
            log.warning("name of the ledger not kept", error=str(error))
        with suppress(OSError):
            self._seen = _names(folder)
        return self._seen

    def _keep(self, folder: Path) -> None:
        for name in tuple(self._unkept):
            folder.mkdir(exist_ok=True)
            (folder / name).touch()
            self._unkept.discard(name)


def _names(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    found = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    return tuple(path.name for path in found if NAME.fullmatch(path.name))[:MOST]
