"""Relays a job's log from the API to the browser as it grows (Server-Sent Events), resumable by byte offset."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import httpx2
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from client.api.async_client import AsyncLeadersboardClient
from client.api.errors import LeadersboardError, TooMany
from client.api.log_stream import LASTING, Interrupted, LogEvent, LogStream, Reading
from client.api.models import LogPart
from client.api.pauses import with_pauses
from ui.browser_sessions import BrowserSessions
from ui.concurrency_limits import Slots

SESSION_SECONDS = 1.0
"""Longest time from the end of a session to the end of its streams."""
STREAMS_OF_ONE_USER = 20
STREAMS_OF_ALL = 400
Offset = Annotated[int | None, Query(ge=0, le=2**53)]
LastEventId = Annotated[str, Header(pattern=r"^[0-9]{0,15}$")]


def log_routes(sessions: BrowserSessions, http: httpx2.AsyncClient) -> APIRouter:
    """The route `/jobs/{job_id}/log-events`."""
    router = APIRouter()
    slots = Slots("logs open", of_one_user=STREAMS_OF_ONE_USER, of_all=STREAMS_OF_ALL)

    @router.get("/jobs/{job_id}/log-events", response_class=EventSourceResponse)
    async def log_events(
        request: Request, job_id: str, offset: Offset = None, last_event_id: LastEventId = ""
    ) -> AsyncIterator[ServerSentEvent]:
        try:
            session = sessions.signed_in(request)
            client = AsyncLeadersboardClient(http, session.token)
            log = LogStream(client, job_id, offset=int(last_event_id) if last_event_id else offset)
            with slots.one_of(session.user_id):
                async with aclosing(with_pauses(log.events(), SESSION_SECONDS)) as events:
                    async for event in events:
                        sessions.signed_in(request)  # raises when the session has ended meanwhile
                        if event is not None:
                            yield _for_browser(event)
            yield _over("")
        except (*LASTING, TooMany) as error:
            yield _over(str(error))

    return router


def _for_browser(event: LogEvent) -> ServerSentEvent:
    if isinstance(event, LogPart):
        return ServerSentEvent(event="log", id=str(event.next_offset), data=_data(event))
    if isinstance(event, Interrupted):
        return ServerSentEvent(event="away", data={"why": type(event.error).__name__, "words": _words(event.error)})
    is_final = event.job.status.is_final if isinstance(event, Reading) else True
    return ServerSentEvent(event="state", data={"final": is_final})


def _over(why: str) -> ServerSentEvent:
    return ServerSentEvent(event="over", data={"why": why})


def _words(error: LeadersboardError) -> str:
    """What the page says of a limit; for all else its own words, since an error may name an internal address."""
    return f"{error} Until then this log comes a little later." if isinstance(error, TooMany) else ""


def _data(part: LogPart) -> dict[str, object]:
    """The text, and the ranges of it that the platform wrote, in UTF-16 code units as browsers count."""
    spans, units, at = [], 0, 0
    for start, end in part.platform:
        begin = units + _units(part.logs[at:start])
        units, at = begin + _units(part.logs[start:end]), end
        spans.append([begin, units])
    return {"text": part.logs, "platform": spans}


def _units(text: str) -> int:
    return len(text) + sum(sign > "\uffff" for sign in text)
