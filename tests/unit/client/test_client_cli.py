"""The `leadersboard` command: what it prints, sends and ends with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

import client.api.client
import client.api.signing
import client.cli.follow
from client.cli.account import Account, keep_account
from client.cli.command import build
from tests.unit.client.fake_platform import SUBMISSION, Platform, job, problem

Run = Callable[..., Result]

pytestmark = pytest.mark.unit

BOARD = {
    "benchmark": "synthetic",
    "metric": "image_auc",
    "total": 1,
    "items": [
        {
            "rank": 1,
            "user_id": "alice",
            "job_id": "j1",
            "submission_id": "s1",
            "method": "padim\x1b[2J",
            "value": 0.98765,
        }
        | {"mine": True, "finished_at": "2026-01-02T03:04:05Z"}
    ],
}
RESULTS = {"job_id": "j1", "metrics": {"image_auc": 0.98765}, "params": {"method": "padim"}}
RESULTS |= {"mlflow_ui_url": "http://m/#/x", "artifacts": [{"path": "roc.png", "size_bytes": 1500}]}


@pytest.fixture
def run(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command as a signed-in user, against the platform of the test."""
    monkeypatch.setattr(client.api.client, "open_http", platform.http)
    monkeypatch.setattr(client.api.signing, "open_http", platform.http)
    monkeypatch.setattr(client.cli.follow, "PERIOD", 0.0)
    for name, value in {
        "API_URL": "http://api.test",
        "LEADERSBOARD_TOKEN": "t",
        "XDG_CONFIG_HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    return lambda *words, **more: CliRunner().invoke(build(), list(words), **more)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A submission."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "main.py").write_text("print(1)")
    return str(tmp_path / "mine")


def accepts(platform: Platform, *states: dict[str, Any] | httpx2.Response | Exception) -> None:
    """Let the platform take a submission and its job go through these states."""
    platform.answers("POST", "/submissions", httpx2.Response(201, json=SUBMISSION))
    platform.answers("POST", "/jobs", httpx2.Response(202, json=job()))
    platform.answers("GET", "/jobs/j1/status", *states)
    platform.answers("GET", "/jobs/j1/results", RESULTS)
    platform.answers("GET", "/leaderboard", BOARD)
    text = "first\nsec\x1b[31mond\nlast"
    platform.answers("GET", "/jobs/j1/logs", lambda asked: log_answer(asked, text))


def log_answer(asked: httpx2.Request, text: str) -> httpx2.Response:
    """Seven bytes of a log at a time; the first line is the platform's."""
    at = int(asked.url.params.get("offset", 0))
    part = text[at : at + 7]
    own = [[0, 6]] if part.startswith("first\n") else []
    return httpx2.Response(200, json={"job_id": "j1", "logs": part, "platform": own, "next_offset": at + len(part)})


def test_submit_prints_the_job_alone(run: Run, platform: Platform, folder: str) -> None:
    """A script gets the job's id on standard output, people get the next step beside it."""
    accepts(platform)
    done = run("submit", folder, "--set", "epochs=3", "--benchmark", "synthetic")
    assert (done.exit_code, done.stdout) == (0, "j1\n")
    assert "leadersboard logs j1 -f" in done.stderr
    assert platform.asked[1].content == (
        b'{"submission_id":"s1","config":{"epochs":3,"benchmark":"synthetic","resource_class":"small"}}'
    )


def test_submit_follow_tells_the_whole_way(run: Run, platform: Platform, folder: str) -> None:
    """Each state, every line of the log once, the metrics and the rank; then zero."""
    running = job(status="running", phase="running", attempt=1)
    accepts(platform, job(), job(), running, job(status="completed", phase="done"))
    done = run("submit", folder, "--follow")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.lstrip("> ") in {"first", "second", "last"}] == [
        "> first",
        "  second",
        "  last",
    ]
    assert sum("pending" in line for line in lines) == 1
    for words in ("place 1 in the queue", "running", "completed", "0.9877", "Rank 1 of 1"):
        assert words in done.stdout


def test_wait_is_without_the_log(run: Run, platform: Platform, folder: str) -> None:
    """`--wait` never asks for the log."""
    accepts(platform, job(status="completed", phase="done"))
    done = run("submit", folder, "--wait")
    assert (done.exit_code, "first" in done.stdout) == (0, False)


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
    monkeypatch.setattr(client.cli.follow, "PATIENCE", -1.0)
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


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(422, "invalid", "No.", errors=[{"field": "entrypoint", "rule": "must end in .py"}]), 3),
        (problem(401, "unauthenticated", "No."), 2),
        (httpx2.ConnectError("no"), 3),
        (httpx2.Response(200, text="hello"), 3),
    ],
)
def test_failures_are_told_with_the_next_step(
    run: Run, platform: Platform, folder: str, answer: httpx2.Response | Exception, code: int
) -> None:
    """A failure names what failed, the field, the next step and the id to quote; never a traceback."""
    platform.answers("POST", "/submissions", answer)
    done = run("submit", folder)
    assert done.exit_code == code
    assert done.stderr.startswith("Error: ")
    assert "Next: " in done.stderr
    assert ("entrypoint: must end in .py" in done.stderr) == (getattr(answer, "status_code", 0) == 422)


@pytest.mark.parametrize("words", [["submit", "/nowhere"], ["submit", "{folder}", "--set", "x"], ["nonsense"], []])
def test_wrong_usage_is_two(run: Run, folder: str, words: list[str]) -> None:
    """What was typed wrong is told before anything is sent."""
    assert run(*(word.format(folder=folder) for word in words)).exit_code == 2


def test_board_and_json(run: Run, platform: Platform) -> None:
    """The board is a plain table, with own rows starred and foreign names harmless; as JSON it is the API's answer."""
    platform.answers("GET", "/leaderboard", BOARD)
    shown = run("board", "--all", "--metric", "image_auc").stdout
    assert "alice *" in shown
    assert "padim" in shown
    assert "\x1b" not in shown
    assert platform.asked[0].url.params["entries"] == "all"
    assert '"value": 0.98765' in run("board", "--json").stdout


def test_reading_commands(run: Run, platform: Platform) -> None:
    """Status, jobs, results, logs and cancel each show their answer."""
    platform.answers(
        "GET", "/jobs/j1/status", job(status="running", phase="recording", started_at="2026-01-02T03:04:06Z")
    )
    platform.answers("GET", "/jobs", {"items": [job(), job(job_id="j2", user_id="bob")], "next_cursor": None})
    platform.answers("GET", "/jobs/j1/results", RESULTS)
    platform.answers(
        "GET", "/jobs/j1/logs", {"job_id": "j1", "logs": "a\n\x1b[2Jb", "platform": [[0, 2]], "next_offset": 7}
    )
    platform.answers("POST", "/jobs/j1/cancel", job(cancel_requested=True))
    assert "running · recording" in run("status", "j1").stdout
    assert "USER" in run("jobs").stdout
    assert "1.5 kB" in run("results", "j1").stdout
    assert run("logs", "j1").stdout == "> a\n  b\n"
    assert json.loads(run("logs", "j1", "--json").stdout)["platform"] == [[0, 2]]
    assert "cancelling" in run("cancel", "j1").stdout


def test_submissions_are_a_table(run: Run, platform: Platform) -> None:
    """SUB-7: my uploads, newest first."""
    one = SUBMISSION | {"user_id": "alice", "file_count": 3, "size_bytes": 1500}
    platform.answers("GET", "/submissions", {"items": [one], "next_cursor": None})
    assert "1.5 kB" in run("submissions", "--limit", "5").stdout
    assert platform.asked[0].url.params["limit"] == "5"
    platform.answers("GET", "/submissions", {"items": []})
    assert "leadersboard submit" in run("submissions").stdout


def test_rerun_prints_the_new_job_alone(run: Run, platform: Platform) -> None:
    """JOB-2: a script gets the new job's id; with --follow it is watched to its end."""
    accepts(platform, job(job_id="j1", status="completed", phase="done"))
    platform.answers("POST", "/jobs/j0/rerun", httpx2.Response(202, json=job(rerun_of="j0")))
    assert run("rerun", "j0").stdout == "j1\n"
    done = run("rerun", "j0", "--follow")
    assert (done.exit_code, "Rank 1 of 1" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "saved"), [([], ["a b/é.png", "notes.txt"]), (["--artifact", "notes.txt"], ["notes.txt"])]
)
def test_download_saves_files(run: Run, platform: Platform, tmp_path: Path, words: list[str], saved: list[str]) -> None:
    """JOB-7: all of a job's files, or one; never over one that is there, and a failure leaves no half of one."""
    files = [{"path": name, "size_bytes": 3} for name in ("a b/é.png", "notes.txt")]
    platform.answers("GET", "/jobs/j1/artifacts", {"job_id": "j1", "items": files})
    for name in ("a b/é.png", "notes.txt"):
        platform.answers("GET", f"/jobs/j1/artifacts/{name}", httpx2.Response(200, content=b"png"))
    into = tmp_path / "here"
    done = run("download", "j1", *words, "--into", str(into))
    assert done.exit_code == 0
    assert [path.relative_to(into).as_posix() for path in sorted(into.rglob("*")) if path.is_file()] == saved
    assert done.stdout.splitlines() == [str(into / name) for name in saved]
    again = run("download", "j1", "--artifact", "notes.txt", "--into", str(into))
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    platform.answers("GET", "/jobs/j1/artifacts/other.txt", problem(404, "not_found", "No."))
    assert run("download", "j1", "--artifact", "other.txt", "--into", str(into)).exit_code == 3
    assert not [path for path in into.rglob("*") if "part" in path.name or "other" in path.name]


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a//x", "a/../../x", "."])
def test_download_trusts_no_name(run: Run, platform: Platform, tmp_path: Path, path: str) -> None:
    """A platform that was taken over writes nothing outside the folder."""
    platform.answers("GET", "/jobs/j1/artifacts", {"job_id": "j1", "items": [{"path": path, "size_bytes": 3}]})
    done = run("download", "j1", "--into", str(tmp_path / "deep" / "here"))
    assert (done.exit_code, "no name of a file" in done.stderr) == (2, True)
    assert not list((tmp_path / "deep").rglob("x")) if (tmp_path / "deep").exists() else True


def test_empty_lists_say_what_to_do(run: Run, platform: Platform) -> None:
    """Nothing to show is not an empty screen."""
    platform.answers("GET", "/jobs", {"items": []})
    platform.answers("GET", "/leaderboard", {"benchmark": "b", "metric": "m", "items": [], "total": 0})
    assert "leadersboard submit" in run("jobs").stdout
    assert "leadersboard submit" in run("board").stdout


def test_login_checks_keeps_and_forgets(
    run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token is kept only when the API knows it, and never printed; logout forgets it."""
    monkeypatch.delenv("LEADERSBOARD_TOKEN")
    platform.answers("GET", "/auth/me", problem(401, "unauthenticated", "No."), {"user_id": "alice", "role": "user"})
    kept = tmp_path / "leadersboard" / "account.json"
    assert run("login", input="s3cret\n").exit_code == 2
    assert not kept.exists()
    done: Result = run("login", input="s3cret\n")
    assert done.exit_code == 0
    assert "s3cret" not in done.output
    assert "s3cret" in kept.read_text()
    assert "Signed out" in run("logout").stdout
    assert not kept.exists()


LOGIN = {"token": "lbs_t0ken", "user_id": "alice", "role": "user", "expires_at": "2026-01-02T03:04:05Z"}


def test_login_with_a_password_keeps_the_token_alone(
    run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """AUT-2: `login --user` asks hidden for the password, sends it once in a body, neither keeps nor prints it."""
    monkeypatch.delenv("LEADERSBOARD_TOKEN")
    platform.answers("POST", "/auth/login", LOGIN)
    platform.answers("GET", "/auth/me", {"user_id": "alice", "role": "user", "method": "password"})
    done: Result = run("login", "--user", "alice", input="s3cret\n")
    assert (done.exit_code, platform.asked[0].read()) == (0, b'{"username":"alice","password":"s3cret"}')
    assert "authorization" not in platform.asked[0].headers
    assert platform.asked[1].headers["authorization"] == "Bearer lbs_t0ken"
    kept = (tmp_path / "leadersboard" / "account.json").read_text()
    assert "lbs_t0ken" in kept
    assert "s3cret" not in kept + done.output
    assert "lbs_t0ken" not in done.output


def test_a_wrong_password_keeps_nothing(run: Run, platform: Platform, tmp_path: Path) -> None:
    """AUT-2: what was wrong is told with what to do, and the exit code is that of not being signed in."""
    platform.answers("POST", "/auth/login", problem(401, "wrong_credentials", "User name or password is wrong."))
    done = run("login", "--user", "alice", input="s3cret\n")
    assert done.exit_code == 2
    assert "check user name and password" in done.output
    platform.answers("POST", "/auth/login", problem(429, "limit_reached", "Try again in 9 seconds.", retry_after="9"))
    assert "9 seconds" in run("login", "--user", "alice", input="s3cret\n").output
    assert not (tmp_path / "leadersboard" / "account.json").exists()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx2.Response(204), ""),
        (problem(409, "conflict", "Not from a login."), ""),
        (problem(401, "unauthenticated", "Ended."), ""),
        (httpx2.ConnectError("no"), "could not be told"),
        (problem(503, "unavailable", "Away."), "could not be told"),
    ],
)
def test_logout_revokes_the_kept_token(
    run: Run, platform: Platform, tmp_path: Path, answer: httpx2.Response | Exception, words: str
) -> None:
    """AUT-2: the platform is told; whatever it answers, the token is gone from this machine."""
    kept = tmp_path / "leadersboard" / "account.json"
    keep_account(Account(url="http://api.test", token="lbs_t0ken"), kept)
    platform.answers("POST", "/auth/logout", answer)
    done = run("logout")
    assert done.exit_code == 0
    assert words in done.output
    assert platform.asked[-1].headers["authorization"] == "Bearer lbs_t0ken"
    assert not kept.exists()
    assert "not signed in" in run("logout").output
