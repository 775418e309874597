"""Which folders of the site its processes have marked, as the ledger remembers it."""

from __future__ import annotations

from typing import Protocol


class FoldersPort(Protocol):
    """A folder's key names the host and the path; all methods raise Unavailable."""

    def is_known(self, key: str) -> bool:
        """Whether this folder was marked before."""
        ...

    def note(self, key: str) -> None:
        """It is marked now."""
        ...
