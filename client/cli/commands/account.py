"""`login` and `logout`."""

import os
from typing import Annotated

import typer

from client.api.client import connect
from client.api.errors import LeadersboardError, NotNow, NotSignedIn
from client.api.signing import logged_in, logged_out
from client.cli.account import (
    DEFAULT_URL,
    Account,
    account_path,
    checked_url,
    forget_account,
    keep_account,
    kept_account,
)
from client.cli.endings import printed_failures
from client.cli.terminal import one_line, say


def login(
    url: Annotated[str, typer.Option("--url", envvar="API_URL", help="Address of the platform's API.")] = DEFAULT_URL,
    user: Annotated[str | None, typer.Option("--user", help="Sign in as this user, with a password.")] = None,
) -> None:
    """Sign in with an access token, or with --user and a password.

    Token and password are not shown while you type; the token is kept in a file that only you can read.
    """
    with printed_failures():
        address = checked_url(url)
        token = _token_of(address, user) if user else _given_token()
        with connect(address, token) as client:
            me = client.me()
        path = account_path(os.environ)
        keep_account(Account(url=address, token=token), path)
        say(f"Signed in at {address} as {one_line(me.user_id)} ({one_line(me.role)}). Kept in {path}.")


def _given_token() -> str:
    token: str = os.environ.get("LEADERSBOARD_TOKEN") or typer.prompt("Access token", hide_input=True)
    return token.strip()


def _token_of(address: str, user: str) -> str:
    password: str = typer.prompt("Password", hide_input=True)
    return logged_in(address, user, password).token


def logout() -> None:
    """Forget the address and the token on this machine; a token that came from a password is revoked everywhere."""
    with printed_failures():
        path = account_path(os.environ)
        kept = kept_account(path)
        forget_account(path)
        say("Signed out." + _revoke(kept) if kept else "You were not signed in.")


def _revoke(account: Account) -> str:
    """End the token at the platform if possible. Returns what remains to be said about it."""
    try:
        logged_out(account.url, account.token)
    except (NotNow, NotSignedIn):
        return ""
    except LeadersboardError as error:
        return f" The platform could not be told ({one_line(error)}); a token from a password ends there by itself."
    return ""
