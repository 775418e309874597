"""Who holds which running job: leases, runs without a runner, and cancels of the ledger's twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from core.domain.errors import LeaseLost
from core.domain.job import (
    CANCEL_SECONDS,
    HEARING_SECONDS,
    LONGEST_LEASE_SECONDS,
    UNSWEPT_SECONDS,
    Claim,
)

UNTIL_TOLD = float("inf")
KNOWN_DEAD = float("-inf")


@dataclass
class MemoryLeases:
    """Not safe by itself: the ledger's lock is held around every call."""

    clock: Callable[[], float]
    held: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Job to token and end of the lease."""
    orphans: dict[str, float] = field(default_factory=dict)
    """Job to the moment since when it may be taken over."""
    _cancelling: dict[str, float] = field(default_factory=dict)
    _hosts: dict[str, tuple[float, float]] = field(default_factory=dict)
    """When it told of itself last, and for how long that holds."""
    _swept: float | None = None
    _listening_since: float = float("-inf")

    def take(self, job_id: str, token: str, lease_seconds: float) -> None:
        self.orphans.pop(job_id, None)
        self.held[job_id] = (token, self.clock() + lease_seconds)

    def check(self, claim: Claim) -> None:
        if self.held.get(claim.job_id, ("", 0.0))[0] != claim.token:
            raise LeaseLost("The lease belongs to another runner.")

    def is_untold(self, job_id: str) -> bool:
        return self.orphans.get(job_id) == UNTIL_TOLD

    def living(self) -> Iterator[str]:
        return (job_id for job_id in self.held if self.lives(job_id))

    def lives(self, job_id: str) -> bool:
        return self.held.get(job_id, ("", 0.0))[1] > self.clock()

    def leave(self, job_id: str, since: float) -> None:
        self.held.pop(job_id, None)
        self.orphans[job_id] = since

    def forget(self, job_id: str) -> None:
        for known in (self.held, self.orphans, self._cancelling):
            known.pop(job_id, None)

    def end(self, job_id: str, mark: str) -> bool:
        token, _until = self.held.get(job_id, ("", 0.0))
        if not token or not token.startswith(mark):
            return False
        self.held[job_id] = ("", KNOWN_DEAD)
        return True

    def settle(self) -> None:
        """A clock that was set back keeps nobody waiting for what it once said."""
        now = self.clock()
        for job_id, (token, until) in self.held.items():
            self.held[job_id] = (token, min(until, now + LONGEST_LEASE_SECONDS))
        for job_id, since in self._cancelling.items():
            self._cancelling[job_id] = min(since, now)

    def expired(self) -> list[str]:
        over = self.clock() if self.has_listened(HEARING_SECONDS) else KNOWN_DEAD
        return [job_id for job_id, (_token, until) in self.held.items() if until <= over]

    def available(self) -> Iterator[str]:
        return (job_id for job_id, since in self.orphans.items() if since != UNTIL_TOLD)

    def cancel_asked(self, job_id: str) -> None:
        self._cancelling.setdefault(job_id, self.clock())

    def cancels_overdue(self) -> list[str]:
        return [job_id for job_id, since in self._cancelling.items() if since <= self.clock() - CANCEL_SECONDS]

    def listen(self) -> None:
        """Where nobody swept for a while, silence says nothing: it counts from this sweep on."""
        now = self.clock()
        if self._listening_since > now or (self._swept is not None and now - self._swept > UNSWEPT_SECONDS):
            self._listening_since = now
        self._swept = now

    def has_listened(self, seconds: float) -> bool:
        return self.clock() - self._listening_since >= seconds

    def announce(self, host: str, patience: float) -> None:
        if host:
            self._hosts[host] = (self.clock(), patience)

    def is_there(self, host: str | None) -> bool:
        if host not in self._hosts:
            return False
        now, (at, patience) = self.clock(), self._hosts[host]
        self._hosts[host] = (min(at, now), patience)
        return now - at <= patience
