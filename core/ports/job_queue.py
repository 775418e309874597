"""The doorbell: wakes the runners of a resource class."""

from __future__ import annotations

from typing import Protocol


class JobQueuePort(Protocol):
    """Signals only that there is work; the ledger knows which. The sweeper rings again if a ring is lost."""

    def ring(self, resource_class: str) -> None:
        """Wake one runner. Raises Unavailable."""
        ...

    def silent(self, resource_class: str) -> bool:
        """True if no ring is waiting to be taken. Raises Unavailable."""
        ...
