"""Accounts from this machine's command line."""

from __future__ import annotations

import io

import pytest

from core.domain.audit import AuditAction, AuditMethod, AuditOutcome
from core.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.domain.user import Role
from core.ports.audit import AuditFilter
from gateway.auth import accounts_command as command
from tests.unit.gateway.auth.door import PASSWORD, Door

pytestmark = pytest.mark.unit


def asked(door: Door, *words: str) -> None:
    command.run(command._parser().parse_args(words), door.accounts, door.sessions, door.passwords, door.audit)


def test_the_first_admin_comes_from_the_machine(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`add NAME --admin` with the password on its input; what is printed does not repeat it."""
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    asked(door, "add", "carl", "--admin")
    assert PASSWORD not in capsys.readouterr().out
    assert door.login("carl").json()["role"] == "admin"
    capsys.readouterr()
    asked(door, "list")
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [
        ["bea", "user", "password"],
        ["carl", "admin", "password"],
    ]
    asked(door, "remove", "carl")
    assert door.login("carl").status_code == 401


def test_a_password_from_a_file_with_a_byte_order_mark_is_the_typed_one(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLD-1: as Windows' editors save a line."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\ufeff{PASSWORD}\r\n"))
    asked(door, "add", "carl")
    assert door.login("carl").status_code == 200


def test_an_empty_input_makes_a_password(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is printed once, and works."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    asked(door, "add", "carl")
    password = capsys.readouterr().out.split(": ")[1].strip()
    assert door.login("carl", password).json()["role"] == Role.USER


def test_a_typed_password_is_asked_for_twice(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal it is hidden, and two different ones change nothing."""
    typed = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    with pytest.raises(SystemExit):
        asked(door, "add", "carl")
    assert door.accounts.find("carl") is None
    asked(door, "add", "carl")
    assert door.login("carl").status_code == 200


def test_the_command_keeps_the_same_rules(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad names, short passwords, taken and unknown names are refused there, too."""
    for name, password, refusal in (
        ("a b", PASSWORD, InvalidInput),
        ("carl", "short", InvalidInput),
        ("bea", "", Conflict),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(password))
        with pytest.raises(refusal):
            asked(door, "add", name)
    with pytest.raises(NotFound):
        asked(door, "remove", "nobody")


def test_a_failure_is_told_and_has_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without Redis the command says so and ends with 1."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert command.main(["list"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_an_empty_list_says_so(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    """A site without accounts gets a sentence and the way out, not silence."""
    asked(door, "remove", "bea")
    capsys.readouterr()
    asked(door, "list")
    assert "no account yet" in capsys.readouterr().out


def test_what_is_done_on_the_machine_is_in_the_audit_trail(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOR-7: under a name that no user has, with its outcome, and without the password."""
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    asked(door, "add", "carl", "--admin")
    asked(door, "remove", "carl")
    with pytest.raises(NotFound):
        asked(door, "remove", "carl")
    entries = door.audit.page(AuditFilter()).entries
    assert [(one.act.action, one.outcome) for one in entries] == [
        (AuditAction.ACCOUNT_REMOVE, AuditOutcome.REFUSED),
        (AuditAction.ACCOUNT_REMOVE, AuditOutcome.DONE),
        (AuditAction.ACCOUNT_ADD, AuditOutcome.DONE),
    ]
    assert {(one.act.actor, one.act.method, one.act.target) for one in entries} == {
        ("(local)", AuditMethod.LOCAL, "carl")
    }
    assert entries[-1].act.details == {"role": "admin"}
    assert PASSWORD not in repr(entries)


def test_on_the_machine_nothing_is_done_that_cannot_be_recorded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_act: object) -> str:
        raise Unavailable("The job ledger (Redis)")

    monkeypatch.setattr(door.audit, "begin", away)
    with pytest.raises(Unavailable):
        asked(door, "remove", "bea")
    assert door.accounts.find("bea") is not None
