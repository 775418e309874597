"""Routes for a job's log: a piece of it now, or a stream of it as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from core.ports.storage import LogSlice
from core.usecases.jobs import ReadJobLog, visible_job
from gateway.dependencies import CurrentUser, LogHubPart, PortsPart
from gateway.live.log_stream import Ended, LogHub
from gateway.schemas.jobs import JobId, LogView

TAIL_LINES = 1000
RETRY_MS = 1000
Offset = Annotated[int | None, Query(ge=0, le=2**53)]
LastEventId = Annotated[str, Header(pattern=r"^[0-9]{0,15}$", description="The id of the last event that was seen.")]
_EXAMPLE = (
    'event: log\ndata: {"text": "epoch 1 of 3\\n", "platform": []}\nid: 13\n\n'
    'event: end\ndata: {"status": "completed", "failure_reason": null}\nid: 13\n\n'
)
_EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"example": _EXAMPLE}}}}


router = APIRouter(prefix="/jobs", tags=["jobs"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """A client that may see this job, and the byte from which it wants the log."""

    hub: LogHub
    job_id: str
    offset: int


@router.get("/{job_id}/logs")
def logs(
    job_id: JobId,
    user: CurrentUser,
    ports: PortsPart,
    tail: Annotated[int, Query(ge=1, le=TAIL_LINES)] = TAIL_LINES,
    offset: Offset = None,
) -> LogView:
    """The last lines of the log, or with `offset` only what came after that byte."""
    usecase = ReadJobLog(job_status=ports.job_status, storage=ports.storage)
    found = usecase(user, job_id, tail_lines=tail, offset=offset)
    return LogView(
        job_id=job_id, logs=found.text, platform=[list(part) for part in found.platform], next_offset=found.next_offset
    )


async def _viewer(
    job_id: JobId,
    user: CurrentUser,
    ports: PortsPart,
    hub: LogHubPart,
    offset: Offset = None,
    last_event_id: LastEventId = "",
) -> AsyncIterator[Viewer]:
    place = int(last_event_id) if last_event_id else offset
    if place is None:
        usecase = ReadJobLog(job_status=ports.job_status, storage=ports.storage)
        last = await run_in_threadpool(usecase, user, job_id, tail_lines=TAIL_LINES, offset=None)
        place = last.offset
    else:
        await run_in_threadpool(visible_job, ports.job_status, user, job_id)
    with hub.place(user.user_id):
        yield Viewer(hub=hub, job_id=job_id, offset=place)


@router.get("/{job_id}/logs/stream", response_class=EventSourceResponse, responses=_EVENTS)
async def stream(viewer: Annotated[Viewer, Depends(_viewer)]) -> AsyncIterator[ServerSentEvent]:
    """The log as Server-Sent Events while it grows, from its last 1,000 lines, or after `Last-Event-ID` or `offset`.

    `log` events carry `{"text", "platform"}` as in `GET /jobs/{job_id}/logs`; their id is the byte offset after it.
    Reconnect with that id, and nothing is missing or repeated. The last event is `end`, with the job's final `status`.
    A stream that ends without it was cut short (after 15 minutes, or when this server stops): reconnect. Comments keep
    an idle connection open.
    """
    yield ServerSentEvent(retry=RETRY_MS)
    async with aclosing(viewer.hub.follow(viewer.job_id, viewer.offset)) as pieces:
        async for piece in pieces:
            yield _ending(piece) if isinstance(piece, Ended) else _text(piece)


def _text(piece: LogSlice) -> ServerSentEvent:
    return ServerSentEvent(
        event="log", id=str(piece.next_offset), data={"text": piece.text, "platform": piece.platform}
    )


def _ending(ended: Ended) -> ServerSentEvent:
    about = {"status": ended.job.state, "failure_reason": ended.job.failure_reason}
    return ServerSentEvent(event="end", id=str(ended.offset), data=about)
