"""AUT-2 and AUT-4: accounts, as admins manage them through the API and on the machine itself."""

from __future__ import annotations

import io
from typing import Any

import httpx2
import pytest

from core.domain.audit import AuditAction, AuditMethod, AuditOutcome
from core.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.domain.session import token_hash
from core.domain.user import Role
from core.ports.audit import AuditFilter
from gateway.auth import accounts_command as command
from tests.unit.auth.door import ADMIN_TOKEN, PASSWORD, Door, bearer

pytestmark = pytest.mark.unit


def added(door: Door, **body: Any) -> httpx2.Response:
    answer: Any = door.browser.post("/users", json=body, headers=bearer(ADMIN_TOKEN))
    return answer  # type: ignore[no-any-return]


def test_a_new_account_signs_in_with_its_password(door: Door) -> None:
    """AUT-2: the answer shows no password that an admin chose, and never a hash."""
    answer = added(door, name="carl", password=PASSWORD, role="admin")
    assert answer.status_code == 201
    told = answer.json()
    assert {**told, "created_at": ""} == {
        "name": "carl", "role": "admin", "kind": "password", "created_at": "", "password": None,
    }  # fmt: skip
    assert door.login("carl").json()["role"] == "admin"


def test_without_a_password_one_is_made(door: Door) -> None:
    """AUT-2: it is told once, works, and is another each time."""
    first, second = added(door, name="carl").json(), added(door, name="dora").json()
    assert first["role"] == "user"
    assert door.login("carl", first["password"]).status_code == 200
    assert len(first["password"]) >= 20
    assert first["password"] != second["password"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": "a b"}, {"name": ".a"}, {"name": "a\n"}, {"name": "../a"}, {"name": "x" * 65},
        {"name": "é"}, {"name": "carl", "password": "short"}, {"name": "carl", "password": "x" * 257},
        {"name": "carl", "role": "root"},
        {"name": "carl", "more": 1}, {"name": "carl-carlson", "password": "carl-carlson"},
    ],
)  # fmt: skip
def test_an_account_against_the_rules_is_refused(door: Door, body: dict[str, Any]) -> None:
    """Names, passwords and roles follow their rules; the refusal names the field."""
    answer = added(door, **body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert [account.name for account in door.accounts.list_accounts().accounts] == ["bea"]


def test_a_taken_name_is_refused(door: Door) -> None:
    """Also in another case; the account that is there stays as it is."""
    for name in ("bea", "BEA"):
        assert added(door, name=name, password="another horse battery").status_code == 409
    assert door.login().status_code == 200


def test_a_removed_user_is_out_at_once(door: Door) -> None:
    """AUT-2, AUT-4: the account and every session end; removing again is 404."""
    tokens = [door.token(), door.token()]
    assert door.browser.delete("/users/bea", headers=bearer(ADMIN_TOKEN)).status_code == 204
    assert [door.me(token).status_code for token in tokens] == [401, 401]
    assert [door.sessions.find(token_hash(token)) for token in tokens] == [None, None]
    assert door.login().status_code == 401
    assert door.browser.delete("/users/bea", headers=bearer(ADMIN_TOKEN)).status_code == 404


def test_the_list_is_paged(door: Door) -> None:
    """Every account once, by name, without its hash."""
    for name in ("dora", "carl"):
        added(door, name=name)
    first = door.browser.get("/users?limit=2", headers=bearer(ADMIN_TOKEN))
    assert "argon2" not in first.text
    page = first.json()
    rest = door.browser.get("/users", params={"cursor": page["next_cursor"]}, headers=bearer(ADMIN_TOKEN)).json()
    assert [one["name"] for one in page["items"] + rest["items"]] == ["bea", "carl", "dora"]
    assert rest["next_cursor"] is None


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
