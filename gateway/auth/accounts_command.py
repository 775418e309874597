"""Manages accounts from this machine's command line, e.g. `python -m gateway.auth.accounts_command add ann --admin`."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from core.adapters.redis.accounts import RedisAccounts
from core.adapters.redis.audit import RedisAudit
from core.adapters.redis.connection import connect
from core.adapters.redis.sessions import RedisSessions
from core.domain.audit import LOCAL, AuditAct, AuditAction, AuditMethod, AuditOutcome, AuditTarget
from core.domain.errors import Conflict, InvalidInput, LeadersboardError, NotFound, Unavailable
from core.domain.user import Role
from core.domain.user_text import MARK
from core.ports.accounts import AccountsPort
from core.ports.audit import AuditPort
from core.ports.passwords import PasswordsPort
from core.ports.sessions import SessionsPort
from core.settings import Settings
from core.usecases.accounts import AddAccount, RemoveAccount
from gateway.auth.passwords import Argon2Passwords


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of `python -m gateway.auth.accounts_command`. Returns the exit code."""
    asked = _parser().parse_args(arguments)
    settings = Settings()
    client = connect(settings.ledger_url)
    audit = RedisAudit(client, days=settings.audit_days)
    try:
        run(asked, RedisAccounts(client), RedisSessions(client), Argon2Passwords(), audit)
    except LeadersboardError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    finally:
        client.close()
    return 0


def run(
    asked: argparse.Namespace,
    accounts: AccountsPort,
    sessions: SessionsPort,
    passwords: PasswordsPort,
    audit: AuditPort,
) -> None:
    """Carry out the command; the audit trail records it first. Raises LeadersboardError."""
    if asked.step == "add":
        _add(asked, AddAccount(accounts=accounts, passwords=passwords), audit)
    elif asked.step == "remove":
        with _recorded(audit, AuditAction.ACCOUNT_REMOVE, asked.name):
            RemoveAccount(accounts=accounts, sessions=sessions)(asked.name)
        _say(f"{asked.name} is removed and logged out everywhere.")
    else:
        _list(accounts)


@contextmanager
def _recorded(audit: AuditPort, action: AuditAction, name: str, **details: str) -> Iterator[None]:
    """Record one act and its outcome. Raises Unavailable before the act; failing to record the outcome is ignored."""
    act = AuditAct(
        actor=LOCAL, method=AuditMethod.LOCAL, action=action, target_kind=AuditTarget.USER, target=name,
        address=LOCAL, details=details,
    )  # fmt: skip
    entry_id, outcome = audit.begin(act), AuditOutcome.FAILED
    try:
        yield
        outcome = AuditOutcome.DONE
    except (InvalidInput, Conflict, NotFound):
        outcome = AuditOutcome.REFUSED
        raise
    finally:
        with suppress(Unavailable):
            audit.end(entry_id, outcome, None)


def _add(asked: argparse.Namespace, add: AddAccount, audit: AuditPort) -> None:
    role, password = Role.ADMIN if asked.admin else Role.USER, _password(asked.name)
    with _recorded(audit, AuditAction.ACCOUNT_ADD, asked.name, role=role):
        account, made = add(asked.name, password, role)
    _say(f"{account.name} ({account.role}) can sign in" + (f" with this password: {made}" if made else "."))


def _password(name: str) -> str | None:
    """The password, typed without echo on a terminal, else the first line of stdin. None: generate one."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().removeprefix(MARK).rstrip("\r\n") or None
    typed = getpass.getpass(f"Password for {name} (empty: make one): ")
    if typed and getpass.getpass("The same again: ") != typed:
        raise SystemExit("The two are not the same. Nothing was changed.")
    return typed or None


def _list(accounts: AccountsPort) -> None:
    cursor: str | None = None
    while True:
        page = accounts.list_accounts(cursor=cursor)
        if cursor is None and not page.accounts:
            _say("There is no account yet. Make one: scripts/user add NAME [--admin]")
        for account in page.accounts:
            _say(f"{account.name:<32} {account.role:<6} {account.kind:<9} {account.created_at:%Y-%m-%d}")
        cursor = page.next_cursor
        if cursor is None:
            return


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="user", description="Accounts with passwords, for the UI and the API.")
    steps = parser.add_subparsers(dest="step", required=True)
    add = steps.add_parser("add", help="a new account; its password is asked for, read from the input, or made")
    add.add_argument("name")
    add.add_argument("--admin", action="store_true", help="may see everybody's jobs and manage accounts")
    steps.add_parser("list", help="all accounts")
    steps.add_parser("remove", help="the account and its sessions end; submissions stay").add_argument("name")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
