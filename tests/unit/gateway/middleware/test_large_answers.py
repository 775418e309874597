"""Large answers stay in memory until their clients have them, so their bytes are bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.middleware.large_answers import LARGE, OF_ONE_USER, LargeAnswersMiddleware

pytestmark = pytest.mark.unit


class Client:
    """What one client has received; it takes the next piece only when `goes_on` is set."""

    def __init__(self) -> None:
        self.goes_on, self.began = asyncio.Event(), asyncio.Event()
        self.messages: list[dict[str, Any]] = []

    async def send(self, message: Any) -> None:
        self.messages.append(message)
        self.began.set()
        await self.goes_on.wait()

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def received(self) -> int:
        return sum(len(message.get("body", b"")) for message in self.messages)


def answering(size: int) -> LargeAnswersMiddleware:
    async def app(_scope: Any, _receive: Any, send: Callable[[Any], Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size})

    return LargeAnswersMiddleware(app)


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def asked(app: LargeAnswersMiddleware, user: str, client: Client) -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "state": {}}
    scope["state"] = {"user_id": user}
    await app(scope, _nothing, client.send)


def test_a_user_who_takes_no_answer_gets_no_second_large_one() -> None:
    """429 until the first has arrived; other users are not concerned, and one answer may exceed the bound."""

    async def scenario() -> None:
        app, slow, second, other, third = answering(OF_ONE_USER + 1), Client(), Client(), Client(), Client()
        first = asyncio.create_task(asked(app, "ada", slow))
        await slow.began.wait()
        for client in (second, other, third):
            client.goes_on.set()
        await asked(app, "ada", second)
        await asked(app, "bob", other)
        assert (second.status, other.status, other.received) == (429, 200, OF_ONE_USER + 1)
        slow.goes_on.set()
        await first
        assert slow.received == OF_ONE_USER + 1
        await asked(app, "ada", third)
        assert third.status == 200

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_small_answers_are_not_counted() -> None:
    async def scenario() -> None:
        app, slow, quick = answering(LARGE), Client(), Client()
        tasks = [asyncio.create_task(asked(app, "ada", slow)) for _ in range(OF_ONE_USER // LARGE + 1)]
        await slow.began.wait()
        quick.goes_on.set()
        await asked(app, "ada", quick)
        assert (quick.status, quick.received) == (200, LARGE)
        slow.goes_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(asyncio.wait_for(scenario(), 20))
