"""Routes for uploading code, and for getting it back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from core.adapters.files.config_weights import asked_in_config
from core.domain.errors import StorageFull, Unavailable
from core.domain.user import User
from core.usecases.create_submission import CountUpload, CreateSubmission
from core.usecases.look_at_files import LookAtFiles
from core.usecases.requirements_check import RequirementsCheck
from core.usecases.submissions import DownloadSubmission, GetSubmission, ListSubmissions
from core.usecases.weights_check import WeightsCheck
from gateway.dependencies import CurrentUser, OpenFilesPart, PortsPart, SettingsPart, UnpackingPart
from gateway.live.open_files import BoundedStream
from gateway.routes.artifacts import HeldOpen
from gateway.schemas.submissions import SubmissionId, SubmissionList, SubmissionView
from gateway.uploads import received

router = APIRouter(prefix="/submissions", tags=["submissions"])

_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "binary"},
            "description": ".py, .yaml, .yml, requirements.txt, .zip, .tar.gz or .tgz; archives are unpacked",
        },
        "entrypoint": {"type": "string", "default": "main.py"},
        "config_file": {"type": "string", "default": "config.yaml"},
        "metadata": {"type": "string", "default": "{}", "description": "a JSON object"},
    },
}


_LOCATION = {"Location": {"description": "Where the submission is.", "schema": {"type": "string"}}}
_ARCHIVE: dict[str, Any] = {"application/gzip": {"schema": {"type": "string", "format": "binary"}}}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses={201: {"headers": _LOCATION}},
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def create(
    request: Request,
    user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    unpacking: UnpackingPart,
    response: Response,
) -> SubmissionView:
    """Store a submission: complete, or not at all. A refused upload counts only in the hour's limit of refused ones.

    Entrypoint, config file and `requirements.txt` are checked at once, and so is `weights` in metadata or config file,
    a list of names of `GET /weights`: the site must have them. `notes` say what was changed or left out, and
    what its runs will meet, such as a package that only some classes install.
    """
    requirements = RequirementsCheck(runners=ports.runners, resource_classes=settings.resource_classes)
    weights = WeightsCheck(weights=ports.weights, asked_in_config=asked_in_config)
    look = LookAtFiles(requirements=requirements, weights=weights)
    usecase = CreateSubmission(storage=ports.storage, look_inside=look)
    counted = CountUpload(
        rate_limit=ports.rate_limit,
        per_hour=settings.max_uploads_per_hour,
        refused_per_hour=settings.max_refused_uploads_per_hour,
    )
    async with (
        _counted(counted, user),
        received(request, user.user_id, settings.upload, ports.storage.check_room) as upload,
    ):
        submission = await to_thread.run_sync(usecase, upload, limiter=unpacking)
    response.headers["Location"] = f"/submissions/{submission.submission_id}"
    return SubmissionView.of(submission)


@asynccontextmanager
async def _counted(count: CountUpload, user: User) -> AsyncIterator[None]:
    """Count the upload before its body is read, so that parallel uploads cannot pass the limit."""
    upload_id = await run_in_threadpool(count, user)
    ended = count.refused
    try:
        yield
        ended = count.stored
    except (StorageFull, Unavailable):
        ended = count.give_back
        raise
    finally:
        with CancelScope(shield=True):
            await run_in_threadpool(ended, user, upload_id)


@router.get("")
def list_submissions(
    user: CurrentUser,
    ports: PortsPart,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(max_length=64, json_schema_extra={"pattern": "^[0-9]{20}-[0-9a-f]{32}$"})
    ] = None,
) -> SubmissionList:
    """Your submissions, newest first; an admin sees everybody's."""
    return SubmissionList.of(ListSubmissions(storage=ports.storage)(user, limit=limit, cursor=cursor))


@router.get("/{submission_id}")
def submission(submission_id: SubmissionId, user: CurrentUser, ports: PortsPart) -> SubmissionView:
    """One submission with its files and metadata."""
    return SubmissionView.of(GetSubmission(storage=ports.storage)(user, submission_id))


@router.get("/{submission_id}/archive", response_class=StreamingResponse, responses={200: {"content": _ARCHIVE}})
def archive(
    submission_id: SubmissionId, user: CurrentUser, ports: PortsPart, open_files: OpenFilesPart, stack: HeldOpen
) -> StreamingResponse:
    """The files of a submission as a tar.gz; uploaded again, they make the same submission."""
    stack.enter_context(open_files.one_of(user.user_id))
    pieces = DownloadSubmission(storage=ports.storage)(user, submission_id)
    headers = {"Content-Disposition": f'attachment; filename="submission-{submission_id}.tar.gz"'}
    return BoundedStream(pieces, media_type="application/gzip", headers=headers)
