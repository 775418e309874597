"""Follows a job until it ends: every change of state, every new log line; short outages are waited out."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from client.api.async_client import AsyncLeadersboardClient
from client.api.errors import LeadersboardError, TooMany, Unavailable, Unreachable
from client.api.log_stream import Ended, Interrupted, LogEvent, LogStream, Reading
from client.api.models import Job, LogPart
from client.api.pauses import pause_after, with_pauses
from client.cli.log_lines import LogLine, LogLines

PERIOD = 0.5
"""Seconds between two looks at the job's state; its log is pushed."""
PATIENCE = 120.0
"""Seconds, longer than a restart of the gateway or of the machine's network."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The job's state, phase or queue position has changed."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A new line of the log, from the job's program or from the platform."""

    line: LogLine


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The platform does not answer at the moment; following continues."""

    why: str


Event = Changed | Printed | Waiting


class Outage:
    """Failures in a row to read one thing: the job's state, or its log."""

    def __init__(self) -> None:
        self.failures = 0
        self.is_told = False
        self._began = 0.0

    def add(self, error: LeadersboardError) -> None:
        """Count a failure. Raises it when the first one was PATIENCE seconds ago."""
        now = time.monotonic()
        self._began = self._began if self.failures else now
        self.failures += 1
        if now - self._began > PATIENCE:
            raise error

    def end(self) -> None:
        """What was read has come again."""
        self.failures, self.is_told = 0, False


class Follower:
    """Follows one job from a byte offset of its log; lives until the job ends."""

    def __init__(self, client: AsyncLeadersboardClient, job_id: str, *, offset: int = 0, with_log: bool = True) -> None:
        self._client = client
        self._job_id = job_id
        self._log = LogStream(client, job_id, offset=offset) if with_log else None
        self._has_whole_log = not with_log
        self._lines = LogLines()
        self._job: Job | None = None
        self._next_look = 0.0
        self._state_outage, self._log_outage = Outage(), Outage()

    async def events(self) -> AsyncGenerator[Event]:
        """Events of the job as they happen, until it ends. Raises the last error after PATIENCE seconds of outage."""
        async with aclosing(with_pauses(self._log_events(), PERIOD)) as arriving:
            while True:
                for event in await self._look():
                    yield event
                if self._has_whole_log and self._has_ended():
                    break
                for event in self._seen(await anext(arriving)):
                    yield event
        for line in self._lines.finish():
            yield Printed(line=line)

    async def _log_events(self) -> AsyncGenerator[LogEvent]:
        if self._log:
            async with aclosing(self._log.events()) as events:
                async for event in events:
                    yield event
        await asyncio.Event().wait()  # the job's state may be still to come

    def _seen(self, event: LogEvent | None) -> list[Event]:
        if isinstance(event, LogPart):
            return [Printed(line=line) for line in self._lines.feed(event.logs, event.platform)]
        if isinstance(event, Interrupted):
            return self._failed(self._log_outage, event.error)
        if isinstance(event, Reading):
            self._log_outage.failures = 0
            self._log_outage.is_told = self._log_outage.is_told and not event.is_pushed  # in parts it comes, but late
        if isinstance(event, Ended):
            self._has_whole_log, self._next_look = True, 0.0
        return []

    def _has_ended(self) -> bool:
        return self._job is not None and self._job.status.is_final

    async def _look(self) -> list[Event]:
        """Ask for the job's state, if it is time to. Returns what has changed, or that there was no answer."""
        if self._has_ended() or time.monotonic() < self._next_look:
            return []
        try:
            job = await self._client.job(self._job_id)
        except (Unreachable, Unavailable, TooMany) as error:
            waiting = self._failed(self._state_outage, error)
            pause = pause_after(error, failures=self._state_outage.failures)
            self._next_look = time.monotonic() + pause
            return waiting
        self._state_outage.end()
        self._next_look = time.monotonic() + PERIOD
        before, self._job = self._job, job
        return [] if before is not None and _shown(before) == _shown(job) else [Changed(job=job)]

    def _failed(self, outage: Outage, error: LeadersboardError) -> list[Event]:
        """Count a failure; the user is told once, also where both the state and the log cannot be read."""
        outage.add(error)
        was_told = self._state_outage.is_told or self._log_outage.is_told
        outage.is_told = True
        return [] if was_told else [Waiting(why=str(error))]


def _shown(job: Job) -> tuple[object, ...]:
    return (job.status, job.phase, job.queue_position, job.attempt, job.cancel_requested)
