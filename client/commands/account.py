"""`login` and `logout`."""

import os
from typing import Annotated

import typer

from client.account import DEFAULT_URL, Account, account_path, checked_url, forget_account, keep_account
from client.api import connect
from client.endings import told_failures
from client.terminal import one_line, say


def login(
    url: Annotated[str, typer.Option("--url", envvar="API_URL", help="Address of the platform's API.")] = DEFAULT_URL,
) -> None:
    """Sign in with an access token; it is asked for hidden, checked, and kept in a file only you can read."""
    with told_failures():
        address = checked_url(url)
        token = os.environ.get("LEADERSBOARD_TOKEN") or typer.prompt("Access token", hide_input=True)
        with connect(address, token.strip()) as client:
            me = client.me()
        path = account_path(os.environ)
        keep_account(Account(url=address, token=token.strip()), path)
        say(f"Signed in at {address} as {one_line(me.user_id)} ({one_line(me.role)}). Kept in {path}.")


def logout() -> None:
    """Forget the address and the token on this machine."""
    existed = forget_account(account_path(os.environ))
    say("Signed out." if existed else "You were not signed in.")
