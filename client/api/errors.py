"""What can go wrong between a client and the platform.

LeadersboardError
├── Unreachable            no answer: not started, wrong address, network, time-out
├── UnexpectedAnswer       an answer that is not the platform's
└── Refused                the platform said no, with a problem document
    ├── NotSignedIn        401
    ├── NotAllowed         403
    ├── NotFound           404
    ├── NotNow             409
    ├── TooLarge           413
    ├── Invalid            400, 422
    ├── TooMany            429
    └── Unavailable        500 and above
"""

from dataclasses import dataclass


class LeadersboardError(Exception):
    """Raised when a call failed; `str()` says what failed, `advice` what to do next."""

    advice = "Try again; if it stays, tell an administrator."


class Unreachable(LeadersboardError):
    """Raised when the API gave no answer at all; trying again is safe."""

    advice = "Check the address and that the platform is running, then try again."


class UnexpectedAnswer(LeadersboardError):
    """Raised when the answer is not from this API; check the address and the version."""

    advice = "Check that the address is the platform's API and that client and platform are of one version."


@dataclass(frozen=True, kw_only=True)
class FieldFault:
    """One field of a refused request and the rule it broke."""

    field: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """The API's explanation of a refusal (RFC 9457), with its own code and request id."""

    status: int
    code: str
    detail: str
    request_id: str | None = None
    faults: tuple[FieldFault, ...] = ()
    retry_after: float | None = None


class Refused(LeadersboardError):
    """Raised when the platform understood the request and refused it; `problem` has the reasons."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem

    @property
    def code(self) -> str:
        """The platform's own short name for the fault."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """What was wrong, in words."""
        return self.problem.detail

    @property
    def request_id(self) -> str | None:
        """The id to quote to an administrator, if the platform gave one."""
        return self.problem.request_id


class NotSignedIn(Refused):
    """Raised when the token is missing, wrong or expired; sign in again."""

    advice = "Sign in again with a valid access token."


class NotAllowed(Refused):
    """Raised when the object belongs to another user; ask its owner or an administrator."""

    advice = "Only the owner and administrators may do this."


class NotFound(Refused):
    """Raised when nothing with this name exists; check the id."""

    advice = "Check the id or name; old records are deleted after the retention time."


class NotNow(Refused):
    """Raised when the object's state does not allow the request; look at its state first."""

    advice = "Look at the job's state; try again when it has changed."


class TooLarge(Refused):
    """Raised when an upload exceeds the size limit; leave data and weights out of it."""

    advice = "Leave data and build products out of the upload."


class Invalid(Refused):
    """Raised when a field breaks a rule; correct it and send again."""

    advice = "Correct what is named and send it again."


class TooMany(Refused):
    """Raised when a limit per user is reached; wait for the stated time."""

    advice = "Wait until the limit renews, or cancel a job that is no longer needed."


class Unavailable(Refused):
    """Raised when the platform itself failed; trying again later is safe."""

    advice = "This is the platform's fault, not yours. Try again in a minute."


SERVER_FAULT = 500
BY_STATUS: dict[int, type[Refused]] = {
    400: Invalid,
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: NotNow,
    413: TooLarge,
    422: Invalid,
    429: TooMany,
}


def refusal(problem: Problem) -> Refused:
    """The error for a problem, by its status."""
    if problem.status in BY_STATUS:
        return BY_STATUS[problem.status](problem)
    return Unavailable(problem) if problem.status >= SERVER_FAULT else Refused(problem)
