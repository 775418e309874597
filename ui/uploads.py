"""Takes a submission from the page's form: the upload goes through to the API as it comes, then its job is queued."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import httpx2
from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from client.errors import LeadersboardError, Refused, Unreachable
from client.models import Job
from client.relay import relay_submission
from ui.desk import Desk
from ui.markup import Templates
from ui.notices import notice_of
from ui.places import Places

WHAT = "The submission was not accepted"
MOST_BYTES = 120_000_000  # a little over what the API takes, which says so itself and in words
MOST_AT_ONCE = 4
MOST_OF_ALL = 100
PIECE_SECONDS = 30.0
"""Half of what wire/pace.py allows, so that the page is told before its connection ends."""
REST_SECONDS = 600.0
"""For what is still to come of an upload that was refused."""
FORM = "multipart/form-data"
Choice = Annotated[str, Field(max_length=200)]


class Wish(BaseModel):
    """What a job is to be: the form's choices, and overrides for the program."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: Choice | None = None
    resource_class: Choice | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """The job's config; a choice of the form counts more than an override of its name."""
        chosen = {"benchmark": self.benchmark, "resource_class": self.resource_class}
        return {**self.overrides, **{name: value for name, value in chosen.items() if value}}


def upload_routes(desk: Desk, markup: Templates, relay: httpx2.AsyncClient) -> APIRouter:
    """The routes `POST /submissions` and `POST /submissions/{submission_id}/jobs`."""
    router = APIRouter()
    uploads = Places("uploads under way", of_one_user=MOST_AT_ONCE, of_all=MOST_OF_ALL)

    @router.post("/submissions", max_body_size=MOST_BYTES)
    async def upload(request: Request) -> Response:
        try:
            return await _uploaded(desk, relay, uploads, request)
        except LeadersboardError as error:
            return _refused(markup, error)

    @router.post("/submissions/{submission_id}/jobs")
    def queue(request: Request, submission_id: Annotated[str, Path(max_length=64)], wish: Wish) -> Response:
        try:
            client = desk.client_of(request)
            submission = client.submission(submission_id)
            job = client.create_job(submission_id, wish.config())
        except LeadersboardError as error:
            return _refused(markup, error)
        html = markup.fill("submitted", job=job, submission=submission, is_old=_is_old(job))
        return JSONResponse({"html": html})

    return router


async def _uploaded(desk: Desk, relay: httpx2.AsyncClient, uploads: Places, request: Request) -> Response:
    """Pass the body on; a browser reads no answer before it has sent all, so the rest of a refused one is let go."""
    session = desk.signed_in(request)
    arriving = request.stream()
    with uploads.one_of(session.user_id):
        try:
            submission = await relay_submission(
                relay,
                session.token,
                _pieces(arriving),
                content_type=_form_type(request),
                length=request.headers.get("content-length"),
            )
        except Refused:
            with anyio.move_on_after(REST_SECONDS):
                async for _ in _pieces(arriving):
                    pass
            raise
    return JSONResponse({"submission_id": submission.submission_id}, 201)


def _form_type(request: Request) -> str:
    sent = request.headers.get("content-type", "")
    return sent if sent.lower().startswith(FORM) else FORM


async def _pieces(arriving: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body as it comes. Raises Unreachable when nothing comes for too long."""
    while True:
        try:
            with anyio.fail_after(PIECE_SECONDS):
                piece = await anext(arriving, None)
        except TimeoutError as error:
            raise Unreachable("The upload stood still for half a minute.") from error
        if piece is None:
            return
        if piece:
            yield piece


def _refused(markup: Templates, error: LeadersboardError) -> Response:
    """A refusal as a box for the page, with the fields at fault."""
    problem = error.problem if isinstance(error, Refused) else None
    faults = [{"field": fault.field, "rule": fault.rule} for fault in problem.faults] if problem else []
    answer = {"html": notice_of(markup, error, what=WHAT), "faults": faults}
    return JSONResponse(answer, problem.status if problem else 503)


def _is_old(job: Job) -> bool:
    return job.started_at is not None or job.status.is_final
