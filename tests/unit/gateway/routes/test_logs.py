"""Logs over HTTP: a piece now, or a stream as it grows (JOB-6, LOG-4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import fastapi.routing
import httpx2
import pytest

from core.domain.job import JobState, Outcome
from gateway.routes.logs import RETRY_MS
from gateway.state import state_of
from tests.sites import Site, posted
from tests.waiting import until

pytestmark = pytest.mark.unit


def ask(site: Site, user: str, found: str, part: str) -> Any:
    method = "POST" if part == "cancel" else "GET"
    return site.as_(user).request(method, f"/jobs/{found}/{part}")


def test_a_log_is_empty_until_it_is_there(site: Site) -> None:
    """JOB-6: never 404 or 500 for a log that has not begun."""
    found = site.post_job()
    for query in ("", "?tail=5", "?offset=0", "?offset=500"):
        answer = site.as_("ada").get(f"/jobs/{found}/logs{query}")
        assert (answer.status_code, answer.json()["logs"]) == (200, "")


@pytest.mark.slow
def test_a_log_is_followed_by_its_offset(site: Site) -> None:
    """JOB-6: the last lines first, then only what came since."""
    found = site.post_job()
    path = site.root / "logs" / f"{found}.log"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(1500)))
    first = site.as_("ada").get(f"/jobs/{found}/logs").json()
    assert first["logs"].splitlines() == [str(number) for number in range(500, 1500)]
    assert first["job_id"] == found
    assert site.as_("ada").get(f"/jobs/{found}/logs?tail=2").json()["logs"] == "1498\n1499\n"
    with path.open("ab") as log:
        log.write(b"new\n")
    second = site.as_("ada").get(f"/jobs/{found}/logs?offset={first['next_offset']}").json()
    assert second["logs"] == "new\n"
    assert site.as_("ada").get(f"/jobs/{found}/logs?offset={second['next_offset']}").json()["logs"] == ""


def test_a_hostile_log_is_only_text(site: Site) -> None:
    """H70-H72: escapes, markup, NUL and bad UTF-8 arrive as JSON text and are typed as such."""
    found = site.post_job()
    (site.root / "logs" / f"{found}.log").write_bytes(b"\x1b]0;x\x07<script>\x00\xff\xc3\r\r\xe2\x80\xae\n")
    answer = site.as_("ada").get(f"/jobs/{found}/logs")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["logs"] == "\x1b]0;x\x07<script>\x00\ufffd\ufffd\r\r\u202e\n"
    assert ask(site, "ada", found, "status").json()["status"] == "pending"


@pytest.mark.parametrize(
    "query", ["tail=0", "tail=1001", "tail=x", "offset=-1", "offset=1e3", "offset=99999999999999999999"]
)
def test_a_bad_log_query_is_refused(site: Site, query: str) -> None:
    """The bounds of lines and offsets."""
    answer = site.as_("ada").get(f"/jobs/{site.post_job()}/logs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def events_of(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """The events of a stream, as a browser reads them; comments are an event named ''."""
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            yield event
            event = {}
        else:
            name, _, value = line.partition(": ")
            event[name] = event.get(name, "") + value


@pytest.mark.slow
def test_a_stream_over_http_resumes_where_it_was_cut(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB-6: ids are byte positions, `Last-Event-ID` goes before `offset`, the end is told with the final state."""
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.02)
    with site.served() as client:
        job_id = posted(client)
        claim = site.claim()
        site.log_file(job_id).write_text("one\n")
        with client.stream("GET", f"/jobs/{job_id}/logs/stream") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = events_of(answer.iter_lines())
            assert next(events) == {"retry": "1000"}
            first = next(event for event in events if "data" in event)
            assert (first["event"], first["id"], json.loads(first["data"])) == (
                "log",
                "4",
                {"text": "one\n", "platform": []},
            )
            assert next(events) == {"": "ping"}
        with site.log_file(job_id).open("a") as log:
            log.write("two\n")
        headers = {"Last-Event-ID": first["id"]}
        with client.stream("GET", f"/jobs/{job_id}/logs/stream?offset=0", headers=headers) as answer:
            later = (event for event in events_of(answer.iter_lines()) if "data" in event)
            found = [next(later)]
            site.ports.job_status.finish(claim, Outcome(state=JobState.CANCELLED))
            found += later
        assert [json.loads(event["data"]) for event in found] == [
            {"text": "two\n", "platform": []},
            {"status": "cancelled", "failure_reason": None},
        ]
        assert [(event["event"], event["id"]) for event in found] == [("log", "8"), ("end", "8")]


def test_a_viewer_who_goes_away_is_noticed(site: Site) -> None:
    """JOB-6: nothing is read for somebody who has left."""
    with site.served() as client:
        job_id = posted(client)
        hub = state_of(site.app).log_hub
        with client.stream("GET", f"/jobs/{job_id}/logs/stream") as answer:
            lines = answer.iter_lines()
            assert next(lines) == f"retry: {RETRY_MS}"
            until(lambda: hub.watched == 1)
        until(lambda: hub.watched == 0)
        until(lambda: not +hub._streams)


def test_a_stream_begins_with_the_last_lines(site: Site) -> None:
    """JOB-6: without a place the stream begins 1,000 lines before the end."""
    client = site.as_("ada")
    job_id = site.post_job()
    site.log_file(job_id).write_text("".join(f"{number}\n" for number in range(1500)))
    site.complete()
    text = "".join(
        json.loads(event["data"])["text"]
        for event in events_of(client.get(f"/jobs/{job_id}/logs/stream").iter_lines())
        if event.get("event") == "log"
    )
    assert text.splitlines() == [str(number) for number in range(500, 1500)]


@pytest.mark.parametrize("mark", ["-1", "x", "9" * 16, "1.5"])
def test_a_foreign_event_id_is_refused(site: Site, mark: str) -> None:
    """A place is somebody's text until it is checked; the refusal comes before the stream begins."""
    client = site.as_("ada")
    job_id = site.post_job()
    answer: httpx2.Response = client.get(f"/jobs/{job_id}/logs/stream", headers={"Last-Event-ID": mark})  # type: ignore[assignment]
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "last-event-id"
