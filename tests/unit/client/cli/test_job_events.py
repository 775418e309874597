"""Following a job: its states, its log, and its end."""

import httpx2
import pytest
from typer.testing import Result

import client.api.pauses
import client.cli.job_events
from tests.unit.client.cli.answers import LOG, accepts
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_log import EVENTS, PARTS, STREAM, Body, stream_of
from tests.unit.client.fake_platform import Platform, job, problem

pytestmark = pytest.mark.unit


def test_submit_follow_tells_the_whole_way(run: Run, platform: Platform, folder: str) -> None:
    """Each state, every line of the log once, the metrics and the rank; then zero."""
    running = job(status="running", phase="running", attempt=1)
    accepts(platform, job(), job(), running, job(status="completed", phase="done"))
    done = run("submit", folder, "--follow")
    assert done.exit_code == 0
    assert log_lines(done) == ["> first", "  second", "  last"]
    assert done.stdout.count("pending") == 1
    for words in ("place 1 in the queue", "running", "completed", "0.9877", "Rank 1 of 1"):
        assert words in done.stdout


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_job_that_did_not_complete_ends_with_one(run: Run, platform: Platform, folder: str, state: str) -> None:
    """CI sees a failed job, and a person its reason."""
    failed = job(status=state, phase="done", failure_reason="out_of_memory", error_message="Use smaller batches.")
    accepts(platform, failed)
    done = run("submit", folder, "--follow")
    assert done.exit_code == 1
    assert ("out of memory" in done.stdout) == (state == "failed")


def test_following_waits_out_a_short_failure(run: Run, platform: Platform, folder: str) -> None:
    """A platform that is away for a moment does not end the following."""
    accepts(platform, httpx2.ConnectError("no"), problem(503, "away", "Away."), job(status="completed", phase="done"))
    done = run("submit", folder, "--wait")
    assert done.exit_code == 0
    assert done.stdout.count("waiting for the platform") == 1


def test_following_gives_up_at_last(run: Run, platform: Platform, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When patience is over, the failure is told and the code is three."""
    monkeypatch.setattr(client.cli.job_events, "PATIENCE", -1.0)
    accepts(platform, httpx2.ConnectError("no"))
    assert run("submit", folder, "--wait").exit_code == 3


def test_interrupting_leaves_the_job(run: Run, platform: Platform, folder: str) -> None:
    """Ctrl-C says that the job goes on and how to come back."""

    def interrupt(_asked: httpx2.Request) -> httpx2.Response:
        raise KeyboardInterrupt

    accepts(platform)
    platform.answers("GET", "/jobs/j1/status", interrupt)
    done = run("submit", folder, "--follow")
    assert done.exit_code == 130
    assert "leadersboard logs j1 -f" in done.stderr
    assert "leadersboard cancel j1" in done.stderr


def asked_of(platform: Platform, path: str) -> list[httpx2.Request]:
    return [one for one in platform.asked if one.url.path == path]


def log_lines(done: Result) -> list[str]:
    return [line for line in done.stdout.splitlines() if line.lstrip("> ") in {"first", "second", "last"}]


def test_the_log_is_pushed_and_not_asked_for(run: Run, platform: Platform, folder: str) -> None:
    """One stream, whatever the number of looks at the state."""
    accepts(platform, *[job(status="running")] * 5, job(status="completed", phase="done"))
    assert run("submit", folder, "--follow").exit_code == 0
    assert [one.url.params["offset"] for one in asked_of(platform, STREAM)] == ["0"]
    assert not asked_of(platform, PARTS)


def test_a_line_that_breaks_off_with_its_stream_is_printed_whole(run: Run, platform: Platform, folder: str) -> None:
    """The rest of it comes with the next stream, and an escape sequence that was cut in two stays harmless."""
    accepts(platform, job(status="completed", phase="done"))
    first = LOG.events()
    platform.answers("GET", STREAM, stream_of(first[: first.index(b"id: 14") + 8], httpx2.ReadError("x")), LOG.push)
    done = run("submit", folder, "--follow")
    assert (done.exit_code, log_lines(done)) == (0, ["> first", "  second", "  last"])
    assert "\x1b" not in done.stdout
    assert [one.url.params["offset"] for one in asked_of(platform, STREAM)] == ["0", "14"]


def test_too_many_streams_are_told_once_and_the_log_comes_in_parts(run: Run, platform: Platform, folder: str) -> None:
    """A sweep of thirty `submit --follow` does not fail for the ten that have no stream."""
    accepts(platform, *[job(status="running")] * 9, job(status="completed", phase="done"))
    full = problem(429, "limit_reached", "You are watching 20 logs. Close one first.", retry_after="30")
    platform.answers("GET", STREAM, full)
    done = run("submit", folder, "--follow")
    assert (done.exit_code, log_lines(done)) == (0, ["> first", "  second", "  last"])
    assert done.stdout.count("waiting for the platform: You are watching 20 logs. Close one first.") == 1


def test_an_outage_of_state_and_log_is_told_once(run: Run, platform: Platform, folder: str) -> None:
    """The gateway restarts while a job is followed: one word of it, and nothing of the log is missing."""
    away = [httpx2.ConnectError("no")] * 5
    accepts(platform, job(status="running"), job(status="running"), *away, job(status="completed", phase="done"))
    platform.answers("GET", STREAM, stream_of(LOG.events()[:100], httpx2.ReadError("x")), LOG.push)
    done = run("submit", folder, "--follow")
    assert (done.exit_code, log_lines(done)) == (0, ["> first", "  second", "  last"])
    assert done.stdout.count("waiting for the platform") == 1


def test_a_log_that_stays_away_is_given_up_at_last(
    run: Run, platform: Platform, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the job's state can be read all the time."""
    monkeypatch.setattr(client.cli.job_events, "PATIENCE", -1.0)
    accepts(platform, job(status="completed", phase="done"))
    for path in (STREAM, PARTS):
        platform.answers("GET", path, problem(503, "away", "The storage is away."))
    done = run("submit", folder, "--follow")
    assert (done.exit_code, "The storage is away." in done.stderr) == (3, True)


def test_a_token_that_ends_meanwhile_is_told_with_the_next_step(run: Run, platform: Platform, folder: str) -> None:
    """The exit code is that of not being signed in."""
    accepts(platform, job(status="running"), job(status="running"), problem(401, "unauthenticated", "It has ended."))
    platform.answers("GET", STREAM, stream_of(LOG.events()[:100]))
    done = run("submit", folder, "--follow")
    assert (done.exit_code, "leadersboard login" in done.stderr) == (2, True)


def test_interrupting_while_the_log_is_silent_leaves_the_job(run: Run, platform: Platform, folder: str) -> None:
    """Ctrl-C in the middle of a stream ends the connection, too."""
    accepts(platform, job(status="running"))
    body = Body(LOG.events()[:100], KeyboardInterrupt())
    platform.answers("GET", STREAM, httpx2.Response(200, headers=EVENTS, stream=body))
    done = run("submit", folder, "--follow")
    assert (done.exit_code, "goes on" in done.stderr) == (130, True)
    assert body.closed.is_set()
