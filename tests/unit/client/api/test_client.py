"""The typed client: what goes over the wire, and what failures become."""

from pathlib import Path

import httpx2
import pytest

from client.api.client import LeadersboardClient
from client.api.errors import (
    Invalid,
    LeadersboardError,
    NotAllowed,
    NotFound,
    NotNow,
    NotSignedIn,
    Refused,
    TooLarge,
    TooMany,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from tests.unit.client.fake_platform import SUBMISSION, Platform, job, problem

pytestmark = pytest.mark.unit


def client_of(platform: Platform, token: str = "t0ken") -> LeadersboardClient:
    return LeadersboardClient(platform.http(), token)


def test_token_goes_into_the_header_alone(platform: Platform) -> None:
    """The token is in the authorization header and nowhere in the address."""
    platform.answers("GET", "/auth/me", {"user_id": "alice", "role": "admin"})
    assert client_of(platform).me().is_admin
    assert platform.asked[0].headers["authorization"] == "Bearer t0ken"
    assert "t0ken" not in str(platform.asked[0].url)


def test_unknown_fields_are_ignored(platform: Platform) -> None:
    """A newer platform's additional fields do not break an older client."""
    platform.answers("GET", "/jobs/j1/status", job())
    assert client_of(platform).job("j1").status == "pending"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, NotSignedIn),
        (403, NotAllowed),
        (404, NotFound),
        (409, NotNow),
        (413, TooLarge),
        (422, Invalid),
        (429, TooMany),
        (418, Refused),
        (500, Unavailable),
        (503, Unavailable),
        (507, Unavailable),
    ],
)
def test_each_refusal_has_its_own_error(platform: Platform, status: int, kind: type[Refused]) -> None:
    """A problem document becomes the error of its status, with code, words, fields and request id."""
    faults = [{"field": "files", "rule": "at least one"}]
    platform.answers("GET", "/jobs", problem(status, "some_code", "In words.", errors=faults, retry_after="7"))
    with pytest.raises(kind) as caught:
        client_of(platform).jobs()
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.detail, caught.value.request_id) == ("some_code", "In words.", "r-1")
    assert caught.value.problem.faults[0].rule == "at least one"
    assert caught.value.problem.retry_after == 7


@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b"[]", b'{"errors": "none"}', b""])
def test_a_refusal_without_a_problem_document_is_still_told(platform: Platform, body: bytes) -> None:
    """A proxy's own error page becomes an error that names the status."""
    platform.answers("GET", "/jobs", httpx2.Response(502, content=body))
    with pytest.raises(Unavailable, match="502"):
        client_of(platform).jobs()


@pytest.mark.parametrize("body", [b"<html>hello</html>", b'{"items": 3}', b"null"])
def test_an_answer_of_something_else_is_unexpected(platform: Platform, body: bytes) -> None:
    """A 200 that is not this API's is told as such and never half understood."""
    platform.answers("GET", "/jobs", httpx2.Response(200, content=body))
    with pytest.raises(UnexpectedAnswer):
        client_of(platform).jobs()


@pytest.mark.parametrize(
    "failure", [httpx2.ConnectError("no"), httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("gone")]
)
def test_no_answer_is_unreachable(platform: Platform, failure: Exception) -> None:
    """No exception of the HTTP library leaves the client."""
    platform.answers("GET", "/jobs", failure)
    with pytest.raises(Unreachable, match=r"http://api\.test"):
        client_of(platform).jobs()


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut"])
def test_what_no_header_can_carry_is_not_a_token(platform: Platform, token: str) -> None:
    """A token that cannot be sent is refused before anything is sent."""
    with pytest.raises(NotSignedIn):
        client_of(platform, token).me()
    assert not platform.asked


@pytest.mark.parametrize(("job_id", "path"), [("a/b?c#d", "/jobs/a%2Fb%3Fc%23d/status"), ("a b", "/jobs/a%20b/status")])
def test_an_id_stays_one_part_of_the_path(platform: Platform, job_id: str, path: str) -> None:
    """A strange id cannot name another endpoint."""
    with pytest.raises(NotFound):
        client_of(platform).job(job_id)
    assert platform.asked[0].url.raw_path.decode() == path


@pytest.mark.parametrize("job_id", ["", ".", ".."])
def test_a_path_as_an_id_is_not_sent(platform: Platform, job_id: str) -> None:
    """Ids that would climb in the path are not found, without a call."""
    with pytest.raises(NotFound):
        client_of(platform).job(job_id)
    assert not platform.asked


def test_files_go_up_by_their_own_names(platform: Platform, tmp_path: Path) -> None:
    """An upload carries the files' names and content, the entrypoint and the metadata."""
    (tmp_path / "main.py").write_text("print(1)")
    platform.answers("POST", "/submissions", httpx2.Response(201, json=SUBMISSION))
    sent = client_of(platform).create_submission([tmp_path / "main.py"], metadata={"note": "ü"})
    body = platform.asked[0].content
    assert sent.submission_id == "s1"
    assert b'filename="main.py"' in body
    assert b"print(1)" in body
    assert b'{"note": "\\u00fc"}' in body
    assert str(tmp_path).encode() not in body


def test_a_deliberate_second_job_has_its_key(platform: Platform) -> None:
    """Only a given idempotency key is sent."""
    platform.answers("POST", "/jobs", job())
    client = client_of(platform)
    client.create_job("s1", {"epochs": 1})
    client.create_job("s1", idempotency_key="again")
    assert "idempotency-key" not in platform.asked[0].headers
    assert platform.asked[1].headers["idempotency-key"] == "again"


def test_what_was_not_asked_is_not_sent(platform: Platform) -> None:
    """Left-out choices are the platform's to make."""
    platform.answers("GET", "/leaderboard", {"benchmark": "b", "metric": "m"})
    client_of(platform).leaderboard(metric="image_auc")
    assert dict(platform.asked[0].url.params) == {
        "metric": "image_auc",
        "entries": "best",
        "limit": "50",
        "offset": "0",
    }


def test_every_error_says_what_to_do() -> None:
    """Each error of the tree has its advice."""
    for kind in (LeadersboardError, Unreachable, UnexpectedAnswer, *Refused.__subclasses__()):
        assert kind.advice.endswith(".")


def test_the_audit_trail_is_asked_for_by_what_is_given(platform: Platform) -> None:
    """Only the filters that were named are sent."""
    entry = {
        "entry_id": "1-0", "at": "2026-03-01T08:00:00Z", "actor": "root", "method": "oidc", "action": "job.cancel",
        "target_kind": "job", "target": "j1", "outcome": "done", "status": 202,
    }  # fmt: skip
    platform.answers("GET", "/admin/audit", {"items": [entry], "next_cursor": None, "displaced": 0, "kept_days": 90})
    page = client_of(platform).audit(actor="root", limit=5)
    assert [(one.actor, one.action, one.status) for one in page.items] == [("root", "job.cancel", 202)]
    assert dict(platform.asked[0].url.params) == {"actor": "root", "limit": "5"}
