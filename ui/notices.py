"""Renders a failure as a box: what failed, whose fault it is, and what to do next."""

from client.api.errors import LeadersboardError, NotSignedIn, Refused, Unavailable, Unreachable
from ui.markup import Templates


def notice_of(markup: Templates, error: LeadersboardError, *, what: str) -> str:
    """The HTML box for a failure; `what` is its title. Includes the fields at fault and the request id, if any."""
    problem = error.problem if isinstance(error, Refused) else None
    return markup.fill(
        "notice",
        what=what,
        words=_words(error),
        advice=_advice(error),
        problem=problem,
        sign_in=isinstance(error, NotSignedIn),
        passing=isinstance(error, Unreachable | Unavailable),
    )


def _words(error: LeadersboardError) -> str:
    # The API's internal address is for operators, not for the page.
    return "The platform does not answer at the moment." if isinstance(error, Unreachable) else str(error)


def _advice(error: LeadersboardError) -> str:
    if isinstance(error, Unreachable):
        return "Nothing is lost. This page tries again by itself; if it stays, tell an administrator."
    return error.advice
