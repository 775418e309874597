"""Everything that can go wrong, as one tree.

LeadersboardError
├── InvalidInput          the input breaks a rule
│   └── TooLarge          ... by its size
├── Unauthenticated       no valid token
│   └── WrongCredentials  ... because user name or password is wrong
├── Forbidden             a valid token, not enough rights
├── NotFound              no such thing, or another user's (clients cannot tell which)
├── Conflict              right request, wrong moment
│   ├── NotFinished       ... because the job has not ended
│   └── KeyReused         ... because its Idempotency-Key belongs to another request
├── LimitReached          a per-user limit; says when it renews
├── StorageFull           the disk is nearly full
├── Unavailable           a part we depend on does not answer
│   └── Rejected         it refuses what we sent; the same request will not work later
├── RunLost               the engine no longer has a run, or its output
└── LeaseLost             another runner holds this job now
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.limits import Allowance


class LeadersboardError(Exception):
    """Base of all errors of this product; its text is written for the user."""

    code = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One broken rule: which field, and the rule in words."""

    field: str
    rule: str


class InvalidInput(LeadersboardError):
    """Raised when the input breaks rules; correct every fault and send it again."""

    code = "invalid_input"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.rule}" for fault in faults))
        self.faults = faults

    @classmethod
    def of(cls, field: str, rule: str) -> InvalidInput:
        return cls(Fault(field=field, rule=rule))


class TooLarge(InvalidInput):
    """Raised as soon as an upload exceeds a size limit; send less."""

    code = "too_large"


class Unauthenticated(LeadersboardError):
    """Raised when the bearer token is missing or unknown; log in again."""

    code = "unauthenticated"


class WrongCredentials(Unauthenticated):
    """Raised when user name and password do not match; the text does not say which of them is wrong."""

    code = "wrong_credentials"

    def __init__(self) -> None:
        super().__init__("User name or password is wrong.")


class Forbidden(LeadersboardError):
    """Raised when the token is valid and its user's role is not enough."""

    code = "forbidden"


class NotFound(LeadersboardError):
    """Raised when the thing does not exist or belongs to another user."""

    code = "not_found"

    def __init__(self, noun: str, identifier: str) -> None:
        super().__init__(f"There is no {noun} {identifier!r} that you can see.")


class Conflict(LeadersboardError):
    """Raised when the object's state does not allow the request, not yet or no longer."""

    code = "conflict"


class NotFinished(Conflict):
    """Raised when results are requested of a job that has not ended; ask again when it has."""

    code = "not_finished"


class KeyReused(Conflict):
    """Raised when an Idempotency-Key is used again with a different request; take a new key for a new request."""

    code = "idempotency_key_reused"


class LimitReached(LeadersboardError):
    """Raised when a per-user limit is used up; `retry_after_seconds` says when it renews.

    `allowance` is what is left of the hourly limit, if the refusal knows it.
    """

    code = "limit_reached"

    def __init__(self, sentence: str, *, retry_after_seconds: int, allowance: Allowance | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds
        self.allowance = allowance


class StorageFull(LeadersboardError):
    """Raised when the free disk space is below the low-water mark; an admin must free some."""

    code = "storage_full"


class Unavailable(LeadersboardError):
    """Raised when a part we depend on does not answer in time; the same request may work later."""

    code = "unavailable"

    def __init__(self, part: str, detail: str = "") -> None:
        super().__init__(f"{part} does not answer{': ' + detail if detail else ''}. Try again in a moment.")
        self.part = part


class Rejected(Unavailable):
    """Raised when a part refuses what we sent: the same request will not work later either; an admin must look."""

    code = "rejected"


class RunLost(LeadersboardError):
    """Raised when the engine could not start a run, or has lost it or its output: the job is run again."""

    code = "run_lost"


class LeaseLost(LeadersboardError):
    """Raised when a runner writes to a job whose lease is no longer its own; it must drop the job."""

    code = "lease_lost"
