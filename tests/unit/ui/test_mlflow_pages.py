"""MLflow's address in the UI's process: told apart by port, closed to strangers, and only a relay."""

from collections.abc import Iterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tests.unit.ui.front import ORIGIN, Front
from ui.mlflow_pages import ByPort, is_plain, mlflow_app

pytestmark = pytest.mark.unit


class Gateway:
    """Answers each call with what it got, or with `answer`."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.answer: httpx2.Response | Exception = httpx2.Response(200, json={})

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def pages(front: Front, gateway: Gateway) -> Iterator[TestClient]:
    """MLflow's address, beside the front with which it shares its sessions."""
    relay = httpx2.AsyncClient(base_url="http://gateway.test", transport=httpx2.MockTransport(gateway))
    app = mlflow_app(front.browser_sessions, front.templates, relay, lifetime=60)
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as browser:
        yield browser


def sign_in(pages: TestClient) -> None:
    assert pages.post("/login", data={"token": "alices-token"}).status_code == 303


def test_a_call_goes_on_with_the_users_token_and_nothing_of_the_browser(pages: TestClient, gateway: Gateway) -> None:
    """No cookie, no address, no other header; the path below the API's part for MLflow."""
    sign_in(pages)
    pages.get("/a/b c?x=1&x=2", headers={"Authorization": "Bearer other", "X-Forwarded-For": "1.2.3.4", "X-Odd": "1"})
    (asked,) = gateway.asked
    assert str(asked.url) == "http://gateway.test/mlflow/a/b%20c?x=1&x=2"
    assert asked.headers["authorization"] == "Bearer alices-token"
    assert {"cookie", "x-forwarded-for", "x-odd"}.isdisjoint(asked.headers)


def test_strangers_reach_no_gateway(pages: TestClient, gateway: Gateway) -> None:
    assert pages.get("/").status_code == 401
    assert pages.post("/graphql", json={}).status_code == 401
    assert gateway.asked == []


@pytest.mark.parametrize("path", ["..", "a/../b", "./a", "a//b", "/a", "a\\b", "a/.", "a/"])
def test_a_path_that_could_lead_elsewhere_goes_nowhere(path: str) -> None:
    assert not is_plain(path)


def test_a_long_search_is_refused_unread(pages: TestClient, gateway: Gateway) -> None:
    sign_in(pages)
    assert (
        pages.post("/graphql", content=b"x" * 70_000, headers={"Content-Type": "application/json"}).status_code == 413
    )
    assert gateway.asked == []


def test_a_cookie_and_foreign_headers_of_an_answer_are_dropped(pages: TestClient, gateway: Gateway) -> None:
    sign_in(pages)
    gateway.answer = httpx2.Response(200, json={}, headers={"Set-Cookie": "a=b", "X-Odd": "1", "ETag": "x"})
    answer = pages.get("/version")
    assert {"set-cookie", "x-odd", "etag"}.isdisjoint(answer.headers)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("failure", [httpx2.ConnectError("no"), httpx2.ReadTimeout("late")])
def test_a_gateway_that_is_away_is_told_in_words(pages: TestClient, gateway: Gateway, failure: Exception) -> None:
    sign_in(pages)
    gateway.answer = failure
    page = pages.get("/", headers={"accept": "text/html"})
    assert (page.status_code, "does not answer" in page.text) == (503, True)
    assert "does not answer" in pages.get("/version").json()["message"]


@pytest.mark.parametrize(("port", "found"), [(5010, "pages"), (8501, "own"), (80, "own")])
def test_the_port_decides_and_no_header(port: int, found: str) -> None:
    """The Host header says what a sender likes; the socket does not."""
    own = FastAPI()
    own.get("/")(lambda: "own")
    pages = FastAPI()
    pages.get("/")(lambda: "pages")
    inner = ByPort(own, port=5010, other=pages)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "server": ("127.0.0.1", port)}, receive, send)

    assert TestClient(app).get("/", headers={"Host": "x:5010", "X-Forwarded-Port": "5010"}).json() == found
