"""The ledger's record of the site's folders that its processes have marked."""

from __future__ import annotations

from typing import Protocol


class FoldersPort(Protocol):
    """A folder's key names the host and the path; all methods raise Unavailable."""

    def is_known(self, key: str) -> bool:
        """Whether this folder was marked before."""
        ...

    def note(self, key: str) -> None:
        """Record that this folder is marked."""
        ...
