"""The names that the ledger of this folder of jobs has had: a ledger that was emptied has another one afterwards.

What was started under an earlier name is still this site's to clear away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import structlog

FOLDER = ".sites"
MOST = 100
NAME = re.compile(r"[0-9A-Za-z-]{1,64}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteNames:
    """An empty file for each, named after it."""

    job_root: Path

    def add(self, name: str) -> None:
        """On a disk that takes no file now the name is not kept: the next process that begins keeps it."""
        if not NAME.fullmatch(name):
            return
        folder = self.job_root / FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        except OSError as error:
            log.warning("name of the ledger not kept", error=str(error))

    def all(self) -> tuple[str, ...]:
        """The latest ones first."""
        folder = self.job_root / FOLDER
        if not folder.is_dir():
            return ()
        found = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        return tuple(path.name for path in found if NAME.fullmatch(path.name))[:MOST]
