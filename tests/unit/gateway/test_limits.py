"""What a request may be before its meaning counts: size, speed, type, number."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from core.domain.limits import RequestLimits
from gateway.middleware.request_limits import Guard, timed
from gateway.middleware.route_table import RouteTable
from gateway.problems import handlers as errors

pytestmark = pytest.mark.unit


def guarded(limits: RequestLimits) -> TestClient:
    app = FastAPI()

    @app.post("/jobs")
    async def jobs(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.get("/jobs")
    async def listed() -> str:
        return "ok"

    errors.install(app)
    app.state.places = RouteTable(app.routes)
    app.add_middleware(Guard, limits=limits, places=app.state.places)
    return TestClient(app)


def test_a_body_within_the_limit_arrives_unchanged() -> None:
    body = {"a": "x" * 900, "b": [1, 2.5, None, True, "é"]}
    assert guarded(RequestLimits(json_bytes=1024)).post("/jobs", json=body).json() == body


@pytest.mark.parametrize("size", [1025, 10_000])
def test_a_body_over_the_limit_is_413(size: int) -> None:
    answer = guarded(RequestLimits(json_bytes=1024)).post("/jobs", json={"a": "x" * size})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_what_has_no_body_needs_no_type() -> None:
    client = guarded(RequestLimits())
    assert client.get("/jobs").status_code == 200
    assert client.get("/jobs", headers={"Content-Type": "nonsense"}).status_code == 200


def test_where_no_body_belongs_the_router_has_the_word() -> None:
    """404 and 405, whatever the body is."""
    client = guarded(RequestLimits())
    assert client.put("/jobs", content=b"x" * 99_999).status_code == 405
    assert client.put("/jobs", content=b"x").headers["allow"] == "GET, POST"
    assert client.post("/nope", content=b"x" * 99_999).status_code == 404


def test_one_request_too_many_is_told_to_come_again() -> None:
    limits = RequestLimits(in_hand=1)
    held, asked = asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        await held.wait()

    async def two() -> None:
        guard = Guard(slow, limits, RouteTable([]))
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "state": {}}

        async def send(message: Any) -> None:
            sent.append(message)

        first = asyncio.create_task(guard(dict(scope), _nothing, _nothing))
        await asked.wait()
        await guard(dict(scope), _nothing, send)
        held.set()
        await first

    asyncio.run(two())
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
    assert b'"too_busy"' in sent[1]["body"]


async def _nothing(*_: Any) -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_after_the_body_receive_may_wait_for_ever() -> None:
    """A log stream listens for its reader's going; no deadline of the body may end it."""

    async def scenario() -> str:
        messages = [{"type": "http.request", "body": b"x", "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}

        limited = timed(receive, 0.02)
        await limited()
        found: str = (await limited())["type"]
        return found

    assert asyncio.run(scenario()) == "http.disconnect"
