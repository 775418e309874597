"""Who runs jobs: what runners tell of themselves, and what admins want of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from core.domain.runners import HostReport, RunnerReport, SeenHost, SeenRunner, Wish


class RunnersPort(Protocol):
    """Every method is one atomic step; all raise Unavailable when Redis does not answer.

    How long ago a report came is told by one clock, Redis's.
    """

    def publish(self, report: RunnerReport) -> None:
        """This runner is there. Told again every few seconds; a silent one is listed for some minutes more."""
        ...

    def withdraw(self, name: str, host: str) -> None:
        """This runner has ended as it should: it is listed no more, nor is its host without another runner there."""
        ...

    def publish_host(self, report: HostReport) -> None:
        """This is how its engine stands."""
        ...

    def turn(self, what: str, seconds: float) -> bool:
        """True for the first who asks in any `seconds`: of several processes one does it."""
        ...

    def keep_turn(self, what: str, seconds: float) -> None:
        """Nobody else has the turn for so long from now; it must not have run out yet."""
        ...

    def count_mended(self, what: str) -> None:
        """A sweeper has mended one thing of this kind."""
        ...

    def mended(self) -> Mapping[str, int]:
        """How many things of each kind all sweepers have mended since the ledger began."""
        ...

    def runners(self) -> Sequence[SeenRunner]:
        """Those whose last report is younger than `FORGOTTEN_SECONDS`, by name."""
        ...

    def hosts(self) -> Sequence[SeenHost]:
        """The engines whose last report is younger than `HOST_FORGOTTEN_SECONDS`, by name."""
        ...

    def wish(self, *targets: str) -> Wish:
        """The strictest wish for any of these: a runner's name, its host."""
        ...

    def set_wish(self, target: str, wish: Wish) -> None:
        """Keep it until the next one."""
        ...

    def ask_canary(self, host: str) -> None:
        """Want a probe of this host's walls now."""
        ...

    def take_canary(self, host: str) -> bool:
        """True once for each time that it was asked."""
        ...
