"""Follows a job until it ends: every change of state, every new log line; short outages are waited out."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TypeVar

from client.api.client import LeadersboardClient
from client.api.errors import LeadersboardError, TooMany, Unavailable, Unreachable
from client.api.models import Job
from client.cli.log_lines import LogLine, LogLines

PERIOD = 0.5
LONGEST_PAUSE = 10.0
PATIENCE = 120.0  # longer than a restart of the gateway or of the machine's network

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The job's state, phase or queue position has changed."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A new line of the log, from the job's program or from the platform."""

    line: LogLine


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """The platform does not answer at the moment; following continues."""

    why: str


Event = Changed | Printed | Interrupted


class Follower:
    """Follows one job from a byte offset of its log; lives until the job ends."""

    def __init__(self, client: LeadersboardClient, job_id: str, *, offset: int = 0, with_log: bool = True) -> None:
        self._client = client
        self._job_id = job_id
        self._offset = offset
        self._with_log = with_log
        self._lines = LogLines()
        self._seen: tuple[object, ...] = ()

    def events(self) -> Iterator[Event]:
        """Events of the job as they happen, until it ends. Raises the last error after PATIENCE seconds of outage."""
        while True:
            job = yield from self._patiently(lambda: self._client.job(self._job_id))
            yield from self._change(job)
            # The state was read before the log, so a final state means that this log is complete.
            yield from self._new_lines()
            if job.status.is_final:
                yield from (Printed(line=line) for line in self._lines.finish())
                return
            time.sleep(PERIOD)

    def _change(self, job: Job) -> Iterator[Event]:
        seen = (job.status, job.phase, job.queue_position, job.attempt, job.cancel_requested)
        if seen != self._seen:
            self._seen = seen
            yield Changed(job=job)

    def _new_lines(self) -> Iterator[Event]:
        while self._with_log:
            part = yield from self._patiently(lambda: self._client.log_after(self._job_id, offset=self._offset))
            if part.next_offset == self._offset:
                return
            self._offset = part.next_offset
            yield from (Printed(line=line) for line in self._lines.feed(part.logs, part.platform))

    def _patiently(self, ask: Callable[[], AnswerT]) -> Generator[Event, None, AnswerT]:
        began = time.monotonic()
        told = False
        while True:
            try:
                return ask()
            except (Unreachable, Unavailable, TooMany) as error:
                if time.monotonic() - began > PATIENCE:
                    raise
                if not told:
                    yield Interrupted(why=str(error))
                told = True
                time.sleep(_pause(error))


def _pause(error: LeadersboardError) -> float:
    asked = error.problem.retry_after if isinstance(error, TooMany | Unavailable) else None
    return min(max(asked or 2 * PERIOD, PERIOD), LONGEST_PAUSE)
