"""Accounts from this machine's command line, e.g. the first admin: `python -m gateway.accounts add ann --admin`."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence

from core.adapters.redis_accounts import RedisAccounts
from core.adapters.redis_connection import connect
from core.adapters.redis_sessions import RedisSessions
from core.domain.errors import LeadersboardError
from core.domain.user import Role
from core.ports.accounts import AccountsPort
from core.ports.passwords import PasswordsPort
from core.ports.sessions import SessionsPort
from core.settings import Settings
from core.usecases.accounts import AddAccount, RemoveAccount
from gateway.passwords import Argon2Passwords


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of `python -m gateway.accounts`; the exit code."""
    asked = _parser().parse_args(arguments)
    client = connect(Settings().ledger_url)
    try:
        run(asked, RedisAccounts(client), RedisSessions(client), Argon2Passwords())
    except LeadersboardError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    finally:
        client.close()
    return 0


def run(asked: argparse.Namespace, accounts: AccountsPort, sessions: SessionsPort, passwords: PasswordsPort) -> None:
    """Do what was asked; raises our errors."""
    if asked.step == "add":
        _add(asked, AddAccount(accounts=accounts, passwords=passwords))
    elif asked.step == "remove":
        RemoveAccount(accounts=accounts, sessions=sessions)(asked.name)
        _say(f"{asked.name} is removed and logged out everywhere.")
    else:
        _list(accounts)


def _add(asked: argparse.Namespace, add: AddAccount) -> None:
    role = Role.ADMIN if asked.admin else Role.USER
    account, made = add(asked.name, _password(asked.name), role)
    _say(f"{account.name} ({account.role}) can sign in" + (f" with this password: {made}" if made else "."))


def _password(name: str) -> str | None:
    """Typed hidden on a terminal, else the first line of the input; None: make one."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n") or None
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
