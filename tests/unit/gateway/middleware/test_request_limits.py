"""What a request may be before its meaning counts: size, speed, type, number, query."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.testclient import TestClient

from core.domain.limits import RequestLimits
from gateway.middleware.request_limits import MOST_PARAMETERS, RequestLimitsMiddleware, timed
from gateway.middleware.route_table import OWN_QUERY, RouteTable
from gateway.problems import handlers as errors
from tests.forms import fields_of
from tests.sites import Site

pytestmark = pytest.mark.unit


def guarded(limits: RequestLimits) -> TestClient:
    app = FastAPI()

    @app.post("/jobs")
    async def jobs(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.get("/jobs")
    async def listed() -> str:
        return "ok"

    route_table = RouteTable(app.routes)
    errors.install(app, route_table.methods_at)
    app.add_middleware(RequestLimitsMiddleware, limits=limits, route_table=route_table)
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
        guard = RequestLimitsMiddleware(slow, limits, RouteTable([]))
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
            await asyncio.sleep(0.02)
            return {"type": "http.disconnect"}

        limited = timed(receive, 0.01)
        await limited()
        found: str = (await limited())["type"]
        return found

    assert asyncio.run(scenario()) == "http.disconnect"


def every_route(app: FastAPI) -> list[tuple[str, str]]:
    """Method and address of each route that declares its query, ids filled in; MLflow's are in test_tracking_access."""
    found = [context.original_route for context in iter_route_contexts(list(app.routes))]
    return [
        (method, route.path.replace("{path:path}", "a").replace("{", "").replace("}", ""))
        for route in found
        if isinstance(route, APIRoute) and not (route.openapi_extra or {}).get(OWN_QUERY)
        for method in route.methods
    ]


def test_every_route_refuses_what_it_does_not_know(site: Site) -> None:
    """One mechanism: a route that is added tomorrow has it, too."""
    client = site.as_("ada")
    routes = every_route(site.app)
    assert len(routes) > 20
    for method, path in routes:
        answer = client.request(method, path, params={"anything": "unknown"})
        assert answer.status_code == 422, (method, path, answer.status_code)
        assert fields_of(answer) == {"anything"}, (method, path)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("anything=unknown", {"anything"}),
        ("limit=3&limt=4", {"limt"}),
        ("limit=3&limit=3", {"limit"}),
        ("limit=3&LIMIT=4", {"LIMIT"}),
        ("limit[]=3", {"limit[]"}),
        ("%6cimit=3&limit=4", {"limit"}),
        ("=3", {"query"}),
        ("a=1&b=2&limit=3", {"a", "b"}),
        ("limit", {"limit"}),
        ("&".join(f"a{number}=1" for number in range(MOST_PARAMETERS + 1)), {"query"}),
        ("x" * 500 + "=1", {"x" * 80}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:30],
)
def test_what_is_wrong_with_a_query_is_named(site: Site, query: str, fields: set[str]) -> None:
    """In whatever spelling it comes; its value is not repeated."""
    answer = site.as_("ada").get(f"/jobs?{query}")
    assert answer.status_code == 422, answer.text
    assert fields_of(answer) == fields


def test_what_is_declared_passes(site: Site) -> None:
    """Empty queries, known names, lists where a list is declared."""
    for query in ("?", "?limit=3", "?status=pending&limit=3&benchmark=synthetic"):
        assert site.as_("ada").get(f"/jobs{query}").status_code == 200


def test_without_a_token_the_answer_is_401_whatever_is_asked(site: Site) -> None:
    """A token in an address opens nothing, and who has none learns nothing of an address."""
    answer = site.as_(None).get("/jobs?access_token=ada")
    assert answer.status_code == 401


def test_a_list_may_come_more_than_once_and_a_route_may_check_its_own_query() -> None:
    """The mark is for a route that passes a query on and cannot declare all of it."""
    app = FastAPI()

    @app.get("/listed")
    def listed(tag: Annotated[list[str] | None, Query()] = None, *, one: int = 1) -> int:
        return len(tag or ()) + one

    @app.get("/own", openapi_extra={OWN_QUERY: True})
    def own() -> str:
        return "mine"

    route_table = RouteTable(app.routes)
    app.add_middleware(RequestLimitsMiddleware, limits=RequestLimits(), route_table=route_table)
    client = TestClient(app)
    assert client.get("/listed?tag=a&tag=b&one=2").json() == 4
    assert client.get("/listed?one=1&one=2").status_code == 422
    assert client.get("/own?whatever=1&whatever=2").json() == "mine"
    assert client.get("/nowhere?whatever=1").status_code == 404
