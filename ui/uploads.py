"""Routes of the submit form: relays the upload to the API as it arrives, then queues its job."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import httpx2
from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from client.api.async_client import AsyncLeadersboardClient
from client.api.errors import LeadersboardError, Refused, Unreachable
from client.api.job_config import job_config
from client.api.models import Job
from ui.browser_sessions import BrowserSessions
from ui.concurrency_limits import Slots
from ui.markup import Templates
from ui.notices import notice_of

WHAT = "The submission was not accepted"
MOST_BYTES = 120_000_000  # a little over the API's own limit, which has a better message
MOST_AT_ONCE = 4
MOST_OF_ALL = 100
PIECE_SECONDS = 30.0
"""Half of what wire/pace.py allows, so that the page gets an answer before the connection is closed."""
REST_SECONDS = 600.0
"""Longest time to read the rest of a refused upload."""
FORM = "multipart/form-data"
FORM_FIELDS = {"config.resource_class": "resource_class", "config.benchmark": "benchmark", "requirements.txt": "files"}
"""The form's own names for fields of the API, so that a fault stands at its field."""
Choice = Annotated[str, Field(max_length=200)]


class WantedJob(BaseModel):
    """The wanted job: the form's choices, and overrides for the program."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: Choice | None = None
    resource_class: Choice | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    trial: bool = False

    def config(self) -> dict[str, Any]:
        """The job's config."""
        return job_config(self.overrides, benchmark=self.benchmark, resource_class=self.resource_class)


def upload_routes(sessions: BrowserSessions, markup: Templates, http: httpx2.AsyncClient) -> APIRouter:
    """The routes `POST /submissions` and `POST /submissions/{submission_id}/jobs`."""
    router = APIRouter()
    uploads = Slots("uploads under way", of_one_user=MOST_AT_ONCE, of_all=MOST_OF_ALL)

    @router.post("/submissions", max_body_size=MOST_BYTES)
    async def upload(request: Request) -> Response:
        try:
            return await _uploaded(sessions, http, uploads, request)
        except LeadersboardError as error:
            return _refused(markup, error)

    @router.post("/submissions/{submission_id}/jobs")
    def queue(request: Request, submission_id: Annotated[str, Path(max_length=64)], wanted: WantedJob) -> Response:
        try:
            client = sessions.client_of(request)
            submission = client.submission(submission_id)
            job = client.create_job(submission_id, wanted.config(), trial=wanted.trial)
        except LeadersboardError as error:
            return _refused(markup, error)
        html = markup.fill("submitted", job=job, submission=submission, is_old=is_old(job))
        return JSONResponse({"html": html})

    return router


async def _uploaded(sessions: BrowserSessions, http: httpx2.AsyncClient, uploads: Slots, request: Request) -> Response:
    """Relay the body. The rest of a refused one is read and dropped: browsers read an answer only after sending all."""
    session = sessions.signed_in(request)
    arriving = request.stream()
    with uploads.one_of(session.user_id):
        try:
            submission = await AsyncLeadersboardClient(http, session.token).relay_submission(
                _pieces(arriving),
                content_type=_form_type(request),
                length=request.headers.get("content-length"),
            )
        except Refused:
            with anyio.move_on_after(REST_SECONDS):
                async for _ in _pieces(arriving):
                    pass
            raise
    return JSONResponse({"submission_id": submission.submission_id, "notes": submission.notes}, 201)


def _form_type(request: Request) -> str:
    sent = request.headers.get("content-type", "")
    return sent if sent.lower().startswith(FORM) else FORM


async def _pieces(arriving: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the body as it arrives. Raises Unreachable when nothing arrives for PIECE_SECONDS."""
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
    """A refusal as JSON: an HTML box for the page, and the fields at fault."""
    problem = error.problem if isinstance(error, Refused) else None
    told = problem.faults if problem else ()
    faults = [{"field": FORM_FIELDS.get(fault.field, fault.field), "rule": fault.rule} for fault in told]
    answer = {"html": notice_of(markup, error, what=WHAT), "faults": faults}
    return JSONResponse(answer, problem.status if problem else 503)


def is_old(job: Job) -> bool:
    """Whether the job was there before: it has begun or ended."""
    return job.started_at is not None or job.status.is_final
