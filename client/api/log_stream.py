"""A job's log as it grows: pushed by the platform, and resumed at the byte where a stream broke off (JOB-6, LOG-2).

While no stream can be had (the user has too many open, or something on the way cuts each one off), the log is read by
single requests instead, so that it comes later and is still whole.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx2
from pydantic import ValidationError

from client.api.async_client import AsyncLeadersboardClient
from client.api.errors import (
    Invalid,
    LeadersboardError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
    UnexpectedAnswer,
)
from client.api.models import Job, LogPart
from client.api.pauses import pause_after

LASTING = (NotSignedIn, NotAllowed, NotFound, Invalid)
"""Refusals that a further try does not change."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The log is read from now on; `job`: its status just before."""

    job: Job
    is_pushed: bool


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """The log is not pushed at the moment; it is tried again."""

    error: LeadersboardError


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The job has ended and its whole log was read."""


LogEvent = Reading | LogPart | Interrupted | Ended


class LogStream:
    """Reads one job's log from a byte offset, or from its last 1,000 lines; lives until the job has ended."""

    def __init__(self, client: AsyncLeadersboardClient, job_id: str, *, offset: int | None = None) -> None:
        self._client = client
        self._job_id = job_id
        self._offset = offset
        self._failures = 0

    async def events(self) -> AsyncGenerator[LogEvent]:
        """The log's parts, each once and in order, and at last Ended. Every failure but LASTING is waited out.

        Raises:
            NotSignedIn, NotAllowed, NotFound, Invalid: the platform does not show this log to this user.

        """
        while True:
            failure: LeadersboardError | None = None
            try:
                async with aclosing(self._attempt()) as events:
                    async for event in events:
                        yield event
                        if isinstance(event, Ended):
                            return
            except LASTING:
                raise
            except LeadersboardError as error:
                failure = error
                yield Interrupted(error=error)
            self._failures = self._failures + 1 if failure else 0
            await asyncio.sleep(pause_after(failure, failures=self._failures))

    async def _attempt(self) -> AsyncGenerator[LogEvent]:
        """Read until the stream ends; by single requests if there was none, or if it brought nothing."""
        job = await self._client.job(self._job_id)  # before the log: if it has ended, the log read afterwards is whole
        before, failure = self._offset, None
        try:
            async with aclosing(self._pushed(job)) as events:
                async for event in events:
                    yield event
        except (TooMany, UnexpectedAnswer) as error:
            failure = error
        if self._offset == before:
            async with aclosing(self._in_parts(job)) as events:
                async for event in events:
                    yield event
        if failure:
            raise failure

    async def _pushed(self, job: Job) -> AsyncGenerator[LogEvent]:
        async with self._client.log_events(self._job_id, offset=self._offset) as events:
            yield Reading(job=job, is_pushed=True)
            async for event in events:
                if event.event == "log" and self._is_new(part := _part_of(self._job_id, event)):
                    yield part
                elif event.event == "end":
                    yield Ended()

    async def _in_parts(self, job: Job) -> AsyncGenerator[LogEvent]:
        yield Reading(job=job, is_pushed=False)
        while self._is_new(part := await self._client.log(self._job_id, offset=self._offset)):
            yield part
        if job.status.is_final:
            yield Ended()

    def _is_new(self, part: LogPart) -> bool:
        """Whether this part follows what was read. Then the next one is read from its end."""
        is_new = self._offset is None or part.next_offset > self._offset
        if is_new:
            self._offset = part.next_offset
        return is_new


def _part_of(job_id: str, event: httpx2.ServerSentEvent) -> LogPart:
    try:
        sent = json.loads(event.data)
        found = {"logs": sent["text"], "platform": sent["platform"], "next_offset": event.id}
        return LogPart.model_validate({"job_id": job_id, **found})
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UnexpectedAnswer("The stream of the log holds something else than a log.") from error
