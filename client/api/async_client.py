"""What a server or a follower asks of the REST API without blocking: jobs, logs, and uploads while they arrive."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import httpx2

from client.api.exchange import UPLOAD_TIMEOUT, AsyncExchange, Event, segment
from client.api.models import Job, LogPart, Submission


class AsyncLeadersboardClient:
    """The platform as seen by one user; every method raises `client.api.errors.LeadersboardError` if it fails."""

    def __init__(self, http: httpx2.AsyncClient, token: str) -> None:
        self._exchange = AsyncExchange(http, token)

    async def job(self, job_id: str) -> Job:
        """A job's status."""
        return await self._exchange.ask(Job, "GET", f"/jobs/{segment(job_id)}/status")

    async def log(self, job_id: str, *, offset: int | None) -> LogPart:
        """The log from a byte offset on, empty if there is nothing new; for None its last 1,000 lines."""
        asked = {} if offset is None else {"offset": offset}
        return await self._exchange.ask(LogPart, "GET", f"/jobs/{segment(job_id)}/logs", params=asked)

    def log_events(self, job_id: str, *, offset: int | None) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """One stream of the log, which may break off at any time; `LogStream` makes a whole log of them."""
        asked = {} if offset is None else {"offset": offset}
        return self._exchange.listen(f"/jobs/{segment(job_id)}/logs/stream", params=asked)

    async def relay_submission(
        self, body: AsyncIterator[bytes], *, content_type: str, length: str | None
    ) -> Submission:
        """Pass a multipart form on while it arrives; `length`: its size in bytes, if known.

        Nothing of it is stored, inspected or named here. The platform may refuse it before its end.
        """
        headers = {"Content-Type": content_type}
        if length is not None:
            headers["Content-Length"] = length
        return await self._exchange.ask(
            Submission, "POST", "/submissions", content=body, headers=headers, timeout=UPLOAD_TIMEOUT
        )
