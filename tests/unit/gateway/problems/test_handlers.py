"""Errors: one shape for all of them, whoever raised them and wherever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from httpx2 import Response

from core import json_logs
from core.domain import errors
from core.domain.errors import LeadersboardError
from core.domain.limits import RequestLimits
from gateway.problems.handlers import STATUS, status_of
from tests.builders import job_id
from tests.sites import Site

pytestmark = pytest.mark.unit


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LeadersboardError)]


def check_shape(answer: Response, status: int, code: str) -> dict:
    """The promises of every error."""
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"type", "title", "status", "detail", "code", "errors", "request_id"}
    assert (body["code"], body["type"]) == (code, f"urn:leadersboard:{code}")
    assert answer.headers["X-Request-ID"] == body["request_id"]
    assert len(body["request_id"]) == 32
    assert body["title"]
    assert body["detail"]
    assert all(set(fault) == {"field", "rule"} for fault in body["errors"])
    return body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", f"/jobs/{job_id(1)}", 404, "not_found"),
        ("PUT", "/jobs", 405, "method_not_allowed"),
        ("DELETE", "/submissions", 405, "method_not_allowed"),
        ("GET", f"/jobs/{job_id(1)}/status", 404, "not_found"),
        ("GET", "/jobs?limit=0", 422, "invalid_input"),
        ("GET", "/jobs?cursor=x", 422, "invalid_input"),
        ("POST", "/jobs", 422, "invalid_input"),
        ("POST", "/submissions", 415, "unsupported_media_type"),
        ("GET", "/jobs/%00/status", 422, "invalid_input"),
        ("GET", "/nothing?x=%ff", 422, "invalid_input"),
        ("GET", "/leaderboard?benchmark=none", 404, "not_found"),
    ],
)
def test_every_error_is_a_problem_document(site: Site, method: str, path: str, status: int, code: str) -> None:
    """RFC 9457, with a request id, also for routes that do not exist."""
    check_shape(site.as_("ada").request(method, path), status, code)


def test_a_missing_token_is_a_problem_document(site: Site) -> None:
    """401, too."""
    check_shape(site.as_(None).get("/jobs"), 401, "unauthenticated")


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What a process of ours has written to its log since this was last asked."""
    before = structlog.get_config()
    json_logs.configure()
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    structlog.configure(**before)


def test_a_crash_is_a_problem_document_and_a_line_in_the_log(
    site: Site, logged: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """500: nothing of the inside is told, and the log has the id that the answer has."""
    monkeypatch.setattr(site.ports.job_status, "list_jobs", None)
    client = site.as_("ada")
    logged()
    answer = client.get("/jobs")
    body = check_shape(answer, 500, "internal_error")
    assert "NoneType" not in answer.text
    broke, told = logged()
    assert (broke["event"], broke["request_id"], broke["level"]) == ("request broke", body["request_id"], "error")
    assert "TypeError" in broke["exception"]
    assert (told["event"], told["request_id"], told["status"]) == ("request", body["request_id"], 500)


def test_a_part_that_is_away_is_503_with_a_time_to_come_back(
    site: Site, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """Unavailable says which part, and a program reads when to try again; the log has it, too."""
    found = site.run("ada")
    logged()
    site.ports.tracking.away = True
    answer = site.as_("ada").get(f"/jobs/{found}/artifacts/notes.txt")
    body = check_shape(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "tracking server" in body["detail"]
    failed, told = logged()[-2:]
    assert (failed["request_id"], failed["code"], failed["error"]) == (
        body["request_id"],
        "unavailable",
        body["detail"],
    )
    assert (told["request_id"], told["status"]) == (body["request_id"], 503)


def test_every_request_has_an_id_of_its_own(site: Site) -> None:
    """Answers that are no errors carry it, too; no two are alike."""
    ids = {site.as_("ada").get(path).headers["X-Request-ID"] for path in ["/jobs", "/jobs", "/nothing", "/health/live"]}
    assert len(ids) == 4


@pytest.mark.parametrize("path", ["/health/live", "/jobs", "/docs", "/openapi.json", "/nothing"])
def test_no_answer_is_guessed_at_or_kept(site: Site, path: str) -> None:
    """H70, H71: nosniff on everything, and nothing of a user's in a cache."""
    headers = site.as_("ada").get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_every_kind_of_error_has_a_status() -> None:
    """The table covers the tree; what a runner alone may meet has none."""
    without = {kind.__name__ for kind in KINDS if status_of(_bare(kind)) == 500}
    assert without == {"LeadersboardError", "LeaseLost", "RunLost"}


def test_a_special_kind_has_its_own_status() -> None:
    """TooLarge is an InvalidInput and yet 413; NotFinished is a Conflict."""
    assert status_of(_bare(errors.TooLarge)) == 413
    assert status_of(_bare(errors.InvalidInput)) == 422
    assert status_of(_bare(errors.NotFinished)) == 409
    assert set(STATUS) <= set(KINDS)


def _bare(kind: type[LeadersboardError]) -> LeadersboardError:
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"", "body"),
        (b"[]", "body"),
        (b"{}", "submission_id"),
        (b'{"submission_id": NaN}', "body"),
        (b'{"submission_id": "x", "submission_id": "y"}', "body"),
        (b'{"submission_id": 7}', "submission_id"),
        (b'{"submission_id": "%s"}' % (b"x" * 65), "submission_id"),
        (b'{"submission_id": "x", "config": []}', "config"),
        (b'{"submission_id": "x", "confg": {}}', "confg"),
    ],
)
def test_a_bad_body_names_its_field(site: Site, body: bytes, field: str) -> None:
    """422 tells which field broke which rule."""
    answer = site.as_("ada").post("/jobs", content=body, headers={"Content-Type": "application/json"})
    found = check_shape(answer, 422, "invalid_input")
    assert [fault["field"] for fault in found["errors"]] == [field]
    assert all(fault["rule"] for fault in found["errors"])


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b'{"submission_id":"x","config":{"a":' + b"[" * 50_000, b'{"a":' + b"9" * 9000]
)
def test_a_body_that_no_parser_reads_is_refused(site: Site, body: bytes) -> None:
    """Bad encodings, bottomless nesting, endless numbers: the sender's fault, not ours."""
    answer = site.as_("ada").post("/jobs", content=body, headers={"Content-Type": "application/json"})
    found = check_shape(answer, 422, "invalid_input")
    assert [fault["field"] for fault in found["errors"]] == ["body"]


def test_what_cannot_be_encoded_is_quoted_safely(site: Site) -> None:
    """Half a surrogate in a key of the body breaks no answer."""
    answer = site.as_("ada").post(
        "/jobs", content=b'{"submission_id": "x", "\\ud800": 1}', headers={"Content-Type": "application/json"}
    )
    check_shape(answer, 422, "invalid_input")


def test_a_body_that_is_read_whole_is_bounded(site: Site) -> None:
    """Without a token and without an end: refused at the limit, so that memory stays flat."""
    piece = b" " * 64 * 1024
    for user in ("ada", None):
        answer = site.send(
            "/jobs", (piece for _ in range(10_000)), headers={"Content-Type": "application/json"}, user=user
        )
        assert answer.status == 413
        assert answer.json()["code"] == "too_large"
        assert answer.chunks_read <= 6


def test_a_body_below_the_bound_passes_in_pieces(site: Site) -> None:
    """The bound counts bytes, not pieces; the bound itself is within it."""
    begun = [b'{"submission_id": "', b"x" * 10, b'"']
    room = RequestLimits().json_bytes - sum(map(len, begun)) - 1
    for spaces, status in ((room, 404), (room + 1, 413)):
        pieces = [*begun, *[b" "] * 100, b" " * (spaces - 100), b"}"]
        assert site.send("/jobs", pieces, headers={"Content-Type": "application/json"}).status == status
