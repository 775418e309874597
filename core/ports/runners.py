"""Runners: their reports, and what admins want of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from core.domain.image_packages import ImagePackages
from core.domain.runners import HostReport, RunnerReport, SeenHost, SeenRunner, Wish


class RunnersPort(Protocol):
    """Every method is one atomic step; all raise Unavailable if Redis does not answer.

    The age of a report is measured by one clock, Redis's.
    """

    def publish(self, report: RunnerReport) -> None:
        """Publish a runner's report; repeat it every few seconds. A silent runner stays listed for some minutes."""
        ...

    def withdraw(self, name: str, host: str) -> None:
        """Remove a runner that has ended normally from the list, and its host if no other runner reports from there."""
        ...

    def publish_host(self, report: HostReport) -> None:
        """Publish the report on a runner's engine."""
        ...

    def publish_image(self, image: ImagePackages) -> None:
        """Publish the packages of a sandbox image; repeat it every few minutes."""
        ...

    def turn(self, what: str, seconds: float) -> bool:
        """True for the first caller in any `seconds`, so that only one of several processes does the work."""
        ...

    def keep_turn(self, what: str, seconds: float) -> None:
        """Extend a held turn by `seconds` from now. Must be called before it expires."""
        ...

    def count_mended(self, what: str) -> None:
        """Count one repair of this kind by a sweeper."""
        ...

    def mended(self) -> Mapping[str, int]:
        """How many repairs of each kind all sweepers have made since the ledger began."""
        ...

    def runners(self) -> Sequence[SeenRunner]:
        """Runners whose last report is younger than `FORGOTTEN_SECONDS`, by name."""
        ...

    def hosts(self) -> Sequence[SeenHost]:
        """Engines whose last report is younger than `HOST_FORGOTTEN_SECONDS`, by name."""
        ...

    def images(self) -> Sequence[ImagePackages]:
        """The packages of each sandbox image published within `HOST_FORGOTTEN_SECONDS`."""
        ...

    def wish(self, *targets: str) -> Wish:
        """The strictest wish for any of these targets: a runner's name, its host."""
        ...

    def set_wish(self, target: str, wish: Wish) -> None:
        """Store a wish until the next one."""
        ...

    def ask_canary(self, host: str) -> None:
        """Request a canary on this host now."""
        ...

    def take_canary(self, host: str) -> bool:
        """True once for each request."""
        ...
