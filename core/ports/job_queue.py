"""The doorbell: tells runners that there is work for a resource class."""

from __future__ import annotations

from typing import Protocol


class JobQueuePort(Protocol):
    """Says only that there is work; what work is the ledger's to know. A lost ring is rung again by the sweeper."""

    def ring(self, resource_class: str) -> None:
        """Wake one runner. Raises Unavailable."""
        ...

    def silent(self, resource_class: str) -> bool:
        """True when no ring waits to be heard. Raises Unavailable."""
        ...
