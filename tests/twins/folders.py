"""Marked folders in memory: the twin of RedisFolders for tests, held to the same contract."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class MemoryFolders:
    """FoldersPort for one process."""

    known: set[str] = field(default_factory=set)

    def is_known(self, key: str) -> bool:
        return key in self.known

    def note(self, key: str) -> None:
        self.known.add(key)
