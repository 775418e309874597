"""Problem documents (RFC 9457): one shape, a closed list of codes, an example of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.domain.errors import Fault

MEDIA_TYPE = "application/problem+json"
EXAMPLE_ID = "0f8fad5bd9cb469fa16570867728950e"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemKind:
    """A status with its stable codes, when it is answered, and an example's detail and errors."""

    codes: tuple[str, ...]
    when: str
    detail: str
    errors: tuple[Fault, ...] = ()
    retry: bool = False
    """Whether the answer has a `Retry-After` header."""


KINDS: Mapping[int, ProblemKind] = {
    400: ProblemKind(
        codes=("bad_request", "cross_origin_refused"),
        when="The bytes are no HTTP request that can be read, or a browser asks for a page that may not call.",
        detail="This is not an HTTP request that we can read.",
    ),
    401: ProblemKind(
        codes=("unauthenticated", "wrong_credentials"),
        when="The bearer token is missing, unknown, expired or revoked, or user name or password is wrong.",
        detail="Send your token: Authorization: Bearer <token>.",
    ),
    403: ProblemKind(
        codes=("forbidden",),
        when="The token is valid, its user's role is not enough.",
        detail="Only admins may do this.",
    ),
    404: ProblemKind(
        codes=("not_found",),
        when="There is no such thing, or it is somebody else's: the answer is the same.",
        detail="There is no job '4b1c2f0e' that you can see.",
    ),
    405: ProblemKind(
        codes=("method_not_allowed",),
        when="The address is right, the method is not; `Allow` names those that are.",
        detail="Method Not Allowed",
    ),
    408: ProblemKind(
        codes=("request_timeout",),
        when="The request did not arrive in time.",
        detail="The body did not arrive within 15 s.",
    ),
    409: ProblemKind(
        codes=("conflict", "not_finished", "idempotency_key_reused"),
        when="The thing's state does not allow this, yet or any more.",
        detail="This job has not ended yet.",
    ),
    413: ProblemKind(
        codes=("too_large",),
        when="A size limit was passed; the rest of the body is not read.",
        detail="body: must be at most 65536 bytes",
        errors=(Fault(field="body", rule="must be at most 65536 bytes"),),
    ),
    415: ProblemKind(
        codes=("unsupported_media_type",),
        when="The body is of another type than this address takes.",
        detail="Send Content-Type: application/json.",
    ),
    422: ProblemKind(
        codes=("invalid_input",),
        when="Fields break rules; `errors` names every one.",
        detail="submission_id: Field required",
        errors=(Fault(field="submission_id", rule="Field required"),),
    ),
    429: ProblemKind(
        codes=("limit_reached",),
        when="A limit is used up; the words say which and when it renews.",
        detail="You have posted 10 jobs in the last hour, which is the limit. The next place is free in 12 min.",
        retry=True,
    ),
    431: ProblemKind(
        codes=("request_header_fields_too_large",),
        when="The request line and headers are too many or too long.",
        detail="The request line and headers may have 32768 bytes and 100 fields.",
    ),
    500: ProblemKind(
        codes=("internal_error",),
        when="A fault of ours. Quote `request_id` to an admin.",
        detail="Something broke on our side. Quote the request id to an admin.",
    ),
    503: ProblemKind(
        codes=("unavailable", "too_busy"),
        when="A part that this needs does not answer, or too many requests are in hand.",
        detail="The job ledger (Redis) does not answer: TimeoutError. Try again in a moment.",
        retry=True,
    ),
    507: ProblemKind(
        codes=("storage_full",),
        when="The disk is nearly full.",
        detail="The disk for submissions is nearly full; nothing can be uploaded until an admin makes room.",
    ),
}


class FaultView(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)

    field: str
    rule: str


class Problem(BaseModel):
    """Every error (RFC 9457); `code` is stable, `detail` is for people."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FaultView]
    request_id: str


def document(status: int, code: str, detail: str, request_id: str, errors: Sequence[Fault] = ()) -> dict[str, Any]:
    """The body of every problem."""
    problem = Problem(
        type=f"urn:leadersboard:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        errors=[FaultView.model_validate(fault) for fault in errors],
        request_id=request_id,
    )
    return problem.model_dump()


def example(status: int) -> dict[str, Any]:
    kind = KINDS[status]
    return document(status, kind.codes[0], kind.detail, EXAMPLE_ID, kind.errors)
