"""`login` and `logout`: which secret goes where, and what is kept."""

from pathlib import Path

import httpx2
import pytest
from typer.testing import Result

from client.cli.account import Account, keep_account
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import Platform, problem

pytestmark = pytest.mark.unit

LOGIN = {"token": "lbs_t0ken", "user_id": "alice", "role": "user", "expires_at": "2026-01-02T03:04:05Z"}


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
