"""One line for each request: whose it was and how it went, nothing that is secret, nothing that breaks a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.testclient import TestClient

from core import json_logs
from gateway.metrics import Metrics
from gateway.middleware.access_log import AccessLogMiddleware
from gateway.middleware.route_table import RouteTable
from gateway.problems import handlers as errors

pytestmark = pytest.mark.unit


SECRET = "s3cret-s3cret-s3cret"


JOB = "a" * 32


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """A function that gives the lines logged since it was last asked, as objects."""
    json_logs.configure()
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    structlog.reset_defaults()


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()
    log = structlog.get_logger("test")

    @app.get("/jobs/{job_id}")
    async def job(job_id: str) -> str:
        await run_in_threadpool(json_logs.bind, user_id="ann")
        await run_in_threadpool(log.info, "inside", authorization=f"Bearer {SECRET}", api_token=SECRET)
        return "ok"

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a fault of ours")

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    route_table = RouteTable(app.routes)
    errors.install(app, route_table.methods_at)
    app.add_middleware(AccessLogMiddleware, metrics=Metrics(), route_table=route_table)
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


def test_a_request_is_one_line_with_everything_one_asks_for(client: TestClient, lines: Any) -> None:
    answer = client.get(f"/jobs/{JOB}")
    inside, line = lines()
    assert line["event"] == "request"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/jobs/{job_id}", 200)
    assert (line["user_id"], line["job_id"]) == ("ann", JOB)
    assert line["duration_ms"] >= 0
    assert line["request_id"] == inside["request_id"] == answer.headers["x-request-id"]


def test_ids_bound_in_one_request_are_not_in_the_next(client: TestClient, lines: Any) -> None:
    client.get(f"/jobs/{JOB}")
    client.post("/echo", content=b"abc")
    assert "user_id" not in lines()[-1]


def test_the_senders_request_id_is_kept_where_it_is_well_formed(client: TestClient, lines: Any) -> None:
    assert client.get("/nope", headers={"X-Request-ID": "trace-0001"}).headers["x-request-id"] == "trace-0001"
    assert lines()[-1]["request_id"] == "trace-0001"


@pytest.mark.parametrize("offered", ["short", "x" * 65, "a b c d e f", 'a"},{"event":"fake', "né" * 8, "a\tb\tc\td\te"])
def test_another_request_id_is_replaced(client: TestClient, offered: str) -> None:
    made = client.get("/nope", headers={"X-Request-ID": offered.encode()}).headers["x-request-id"]
    assert made != offered
    assert len(made) == 32


def test_no_secret_is_in_any_line(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    """AUT-4: neither what came in headers, query and body, nor what somebody logged under a telling name."""
    json_logs.configure()
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}"}
    client.get(f"/jobs/{JOB}?token={SECRET}", headers=headers)
    client.post("/echo", headers=headers, json={"user": "ann", "password": SECRET})
    client.get(f"/{SECRET}", headers=headers)
    client.get("/broken", headers=headers)
    out = capsys.readouterr().out
    structlog.reset_defaults()
    assert out.count('"event": "request"') == 4
    assert SECRET not in out


@pytest.mark.parametrize("text", ["a\nb", 'x"}\n{"event":"fake"}', "\x1b[2J", "\u2028", "\ud800"], ids=ascii)
def test_hostile_text_cannot_break_a_line(client: TestClient, lines: Any, text: str) -> None:
    json_logs.configure()
    structlog.get_logger("test").warning("refused", name=text)
    (line,) = lines()
    assert line["name"] == text
    assert line["event"] == "refused"


def test_a_hostile_address_is_no_text_of_the_log(client: TestClient, lines: Any) -> None:
    client.get("/jobs/%0a%7b%22event%22%3a1%7d")
    line = lines()[-1]
    assert line["route"] == "/jobs/{job_id}"
    assert "job_id" not in line


def test_a_fault_of_ours_is_a_problem_with_the_id_that_the_log_has(client: TestClient, lines: Any) -> None:
    """The sender learns the id and no more; the log has the traceback under the same id."""
    answer = client.get("/broken")
    broke, line = lines()
    assert answer.status_code == line["status"] == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert "a fault of ours" not in answer.text
    assert "a fault of ours" in broke["exception"]
    assert answer.json()["request_id"] == broke["request_id"] == line["request_id"]


def test_every_answer_says_what_a_browser_may_do_with_it(client: TestClient) -> None:
    for path in (f"/jobs/{JOB}", "/nope", "/broken"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"
