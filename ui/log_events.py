"""Streams a job's log to the browser as it grows (Server-Sent Events), resumable by byte offset."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from client.api.client import LeadersboardClient
from client.api.errors import Invalid, LeadersboardError, NotAllowed, NotFound, NotSignedIn, TooMany
from client.api.models import LogPart
from ui.browser_sessions import BrowserSessions
from ui.slots import Slots

PERIOD = 0.5
STEPS_PER_STATE = 4  # the log is asked for twice a second, the state every two seconds
AWAY_PERIOD = 3.0
TAIL_LINES = 1000
MOST_CALLS_AT_ONCE = 32
STREAMS_OF_ONE_USER = 20
STREAMS_OF_ALL = 400
OVER = (NotSignedIn, NotAllowed, NotFound, Invalid)  # retrying cannot help
Offset = Annotated[int | None, Query(ge=0, le=2**53)]
LastEventId = Annotated[str, Header(pattern=r"^[0-9]{0,15}$")]

AnswerT = TypeVar("AnswerT")


@dataclass
class Place:
    """The state of one viewer's stream; lives as long as its connection."""

    offset: int | None
    steps: int = 0
    is_final: bool | None = None
    is_away: bool = False


def log_routes(sessions: BrowserSessions) -> APIRouter:
    """The route `/jobs/{job_id}/log-events`."""
    router = APIRouter()
    limiter = CapacityLimiter(MOST_CALLS_AT_ONCE)
    places = Slots("logs open", of_one_user=STREAMS_OF_ONE_USER, of_all=STREAMS_OF_ALL)

    @router.get("/jobs/{job_id}/log-events", response_class=EventSourceResponse)
    async def log_events(
        request: Request, job_id: str, offset: Offset = None, last_event_id: LastEventId = ""
    ) -> AsyncIterator[ServerSentEvent]:
        place = Place(offset=int(last_event_id) if last_event_id else offset)
        try:
            with places.one_of(sessions.signed_in(request).user_id):
                async for event in _events(Viewer(sessions, request, job_id, limiter), place):
                    yield event
        except (NotSignedIn, TooMany) as error:
            yield ServerSentEvent(event="over", data={"why": str(error)})

    return router


class Viewer:
    """Calls the API for one viewer of one job. Each call looks up the session, so that signing out ends the stream."""

    def __init__(self, sessions: BrowserSessions, request: Request, job_id: str, limiter: CapacityLimiter) -> None:
        self._sessions = sessions
        self._request = request
        self._job_id = job_id
        self._limiter = limiter

    async def is_final(self) -> bool:
        """Whether the job has ended."""
        return await self._ask(lambda client: client.job(self._job_id).status.is_final)

    async def part(self, offset: int | None) -> LogPart:
        """The log after the offset; for None the last TAIL_LINES lines."""
        if offset is None:
            return await self._ask(lambda client: client.log_tail(self._job_id, lines=TAIL_LINES))
        return await self._ask(lambda client: client.log_after(self._job_id, offset=offset))

    async def _ask(self, question: Callable[[LeadersboardClient], AnswerT]) -> AnswerT:
        return await to_thread.run_sync(
            lambda: question(self._sessions.client_of(self._request)), limiter=self._limiter
        )


async def _events(viewer: Viewer, place: Place) -> AsyncIterator[ServerSentEvent]:
    while True:
        try:
            async for event in _step(viewer, place):
                yield event
        except OVER as error:
            yield ServerSentEvent(event="over", data={"why": str(error)})
            return
        except LeadersboardError as error:
            place.is_away = True
            yield ServerSentEvent(event="away", data={"why": type(error).__name__})
            await anyio.sleep(AWAY_PERIOD)
            continue
        if place.is_final:
            yield ServerSentEvent(event="over", data={"why": ""})
            return
        await anyio.sleep(PERIOD)


async def _step(viewer: Viewer, place: Place) -> AsyncIterator[ServerSentEvent]:
    # The state is read before the log: when it is final, the log read afterwards is complete.
    is_due = place.steps % STEPS_PER_STATE == 0 or place.is_away
    is_final = await viewer.is_final() if is_due else place.is_final
    if is_final != place.is_final or place.is_away:
        yield ServerSentEvent(event="state", data={"final": is_final})
    while True:
        part = await viewer.part(place.offset)
        is_new = place.offset is None or part.next_offset > place.offset
        if is_new:
            yield ServerSentEvent(event="log", id=str(part.next_offset), data=_data(part))
        place.offset = part.next_offset
        if not is_new or not part.logs:
            break
    place.is_final, place.is_away, place.steps = is_final, False, place.steps + 1


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
