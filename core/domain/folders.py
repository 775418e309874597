"""The state of a folder of the site: whether it can be used, why not, and how much of its disk is free."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderState:
    """One folder as seen by one process. Sizes in bytes; None if the disk was not asked or did not answer."""

    name: str
    """Its purpose: submissions, logs, jobs, benchmarks."""
    path: str
    fault: str | None = None
    """Why it cannot be used, in words; None if it can."""
    full: bool = False
    """True if the fault is a full disk or a quota."""
    foreign: bool = False
    """True if the folder is not the site's own, e.g. not mounted: files written into it would be lost."""
    free_bytes: int | None = None
    total_bytes: int | None = None

    @property
    def words(self) -> str | None:
        """The fault together with the folder's name and path, for an admin."""
        return f"{self.name} ({self.path}): {self.fault}" if self.fault else None
