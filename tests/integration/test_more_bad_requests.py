"""More requests of the kinds that once cost or crashed something: each gets words and a declared status, none a 5xx."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.integration.test_hostile_requests import JSON, UNKNOWN, assert_problem, main_py
from tests.running_gateway import Door

pytestmark = pytest.mark.integration

BIG = "9" * 5000
QUERIES = [
    "/jobs?anything=unknown", "/jobs?limit=1&limit=2", "/jobs?limit=1e3", "/jobs?limit=" + BIG, "/jobs?limit=-1",
    "/jobs?limit=٣", "/jobs?cursor=" + BIG, "/jobs?cursor=nan", "/jobs?cursor=inf.000000", "/jobs?cursor=1.0e5",
    "/jobs?cursor=-1.000000", "/jobs?cursor=%D9%A3.000000", "/jobs?cursor=*", "/jobs?status=*", "/jobs?benchmark=*",
    "/jobs?benchmark=synthetic:state:completed", "/jobs?benchmark=synthetic%0A", "/submissions?cursor=*",
    "/submissions?cursor=../../etc", "/submissions?limit=0x10", "/leaderboard?benchmark=synthetic'%20or%20'1",
    "/leaderboard?metric=`x`", "/leaderboard?entries=all&entries=best", f"/jobs/{UNKNOWN}/logs?offset={BIG}",
    f"/jobs/{UNKNOWN}/logs?tail={BIG}", f"/jobs/{UNKNOWN}/logs?offset=-9", f"/jobs/{UNKNOWN}/status?token=x",
    f"/jobs/{UNKNOWN}/logs/stream?offset={BIG}", "/benchmarks?" + "&".join(f"a{n}=1" for n in range(2000)),
    "/health/live?x=1", "/openapi.json?x=1", "/auth/me?access_token=x", "/jobs?" + "limit=1;" * 1000, "/jobs?%00=1",
    f"/jobs/{UNKNOWN}/artifacts/" + "a/" * 5000, f"/jobs/{UNKNOWN}/artifacts/%2e%2e/%2e%2e/x",
]  # fmt: skip
HEADERS = [
    {"Idempotency-Key": "k" * 201}, {"Idempotency-Key": "k" * 20_000}, {"Last-Event-ID": BIG},
    {"Last-Event-ID": "-1"}, {"Last-Event-ID": "1e9"}, {"X-Request-ID": "x" * 9000}, {"Range": "bytes=0-" + BIG},
    {"Accept": "*/*;q=" + BIG}, {"Origin": "null"}, {"X-Forwarded-For": ",".join(["1.2.3.4"] * 1000)},
    {"Authorization": "Bearer " + "x" * 20_000},
]  # fmt: skip
BODIES = [
    b'{"submission_id":"' + b"x" * 60_000 + b'"}', b'{"submission_id":{"$gt":""}}', b'{"submission_id":"*"}',
    b'{"submission_id":"../../etc/passwd"}', b'{"submission_id":"%s","config":{"benchmark":"*"}}' % UNKNOWN.encode(),
    b'{"submission_id":"%s","config":{"benchmark":"synthetic\\n"}}' % UNKNOWN.encode(),
    b'{"submission_id":"%s","config":{"resource_class":"${HOME}"}}' % UNKNOWN.encode(),
    b'{"submission_id":"%s","config":{%s}}' % (UNKNOWN.encode(), b",".join(b'"k%d":1' % n for n in range(6000))),
    b"{" + b'"a":1,' * 9000 + b'"b":1}', b"\xef\xbb\xbf{}", b'"\\ud800\\udc00"', b"[" * 30 + b"]" * 30,
    b'{"submission_id":1e400}', b'{"submission_id":-0}', b"\0" * 60_000, b'{"a":"' + b"\\u0041" * 9000 + b'"}',
]  # fmt: skip


@pytest.fixture
def client(door: Door) -> Iterator[httpx2.Client]:
    with door.client() as opened:
        yield opened


@pytest.mark.parametrize("address", QUERIES, ids=lambda text: text[:40])
def test_no_address_breaks_the_gateway(client: httpx2.Client, address: str) -> None:
    """Junk in a query or a path is named; nothing of it reaches a key, a filter or a file."""
    assert_problem(client.get(address), 401, 404, 422, 431)


@pytest.mark.parametrize("headers", HEADERS, ids=lambda value: str(value)[:30])
def test_no_header_breaks_the_gateway(client: httpx2.Client, headers: dict[str, str]) -> None:
    """Of any length, where a number is meant, and where a list is."""
    for method, path in (("GET", f"/jobs/{UNKNOWN}/logs/stream"), ("GET", f"/jobs/{UNKNOWN}/status")):
        answer = client.request(method, path, headers=headers)
        assert answer.status_code in {400, 401, 404, 413, 422, 431}, answer.text[:200]
    answer = client.post("/jobs", content=b'{"submission_id":"%s"}' % UNKNOWN.encode(), headers=JSON | headers)
    assert answer.status_code in {400, 401, 403, 404, 422, 431}, answer.text[:200]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:40].decode("latin-1"))
def test_no_json_breaks_the_gateway(client: httpx2.Client, body: bytes) -> None:
    """Operators, globs, paths and variables are only text."""
    assert_problem(client.post("/jobs", content=body, headers=JSON), 404, 413, 422)


REQUIREMENTS = [
    r"packaging; python_version > '3\x24{PIP_INDEX_URL}\n'", r"packaging; python_version > '\x33\x27\x22'",
    "a; " + "(" * 400 + "python_version > '3'" + ")" * 400, "a; 'x' ~= 'y'", "a==" + "9" * 900,
]  # fmt: skip


@pytest.mark.parametrize("line", REQUIREMENTS, ids=lambda text: text[:30])
def test_no_requirements_txt_breaks_a_post(client: httpx2.Client, line: str) -> None:
    """Refused by line with the upload, or installed later; never a 500."""
    files = [*main_py(), ("files", ("config.yaml", b"{}\n")), ("files", ("requirements.txt", line.encode()))]
    stored = client.post("/submissions", files=files)
    assert stored.status_code in {201, 422}, stored.text[:300]
    if stored.status_code == 422:
        assert stored.json()["errors"][0]["field"] == "requirements.txt"
        return
    assert "9999" in line
    config = {"resource_class": "medium"}
    answer = client.post("/jobs", json={"submission_id": stored.json()["submission_id"], "config": config})
    assert answer.status_code == 202, answer.text[:300]
