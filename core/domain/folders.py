"""How a folder of the site stands: whether it can be used now, why not, and how much of its disk is free."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderState:
    """One folder, as one process looked at it. Sizes in bytes; None where the disk was not asked or did not answer."""

    name: str
    """What it is for: submissions, logs, jobs, benchmarks."""
    path: str
    fault: str | None = None
    """Why it cannot be used, in words; None when it can."""
    full: bool = False
    """The fault is a want of space, or a quota."""
    foreign: bool = False
    """The fault is that it is not the site's own, e.g. not mounted: what is written into it now is lost to the site."""
    free_bytes: int | None = None
    total_bytes: int | None = None

    @property
    def words(self) -> str | None:
        """The fault with the folder that it concerns, for an admin."""
        return f"{self.name} ({self.path}): {self.fault}" if self.fault else None
