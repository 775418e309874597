"""Stores the API address and the token of the command line, in a file that only its owner can read."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_URL = "http://localhost:8010"
OWNER_ONLY = 0o600


class NotConfigured(Exception):
    """Raised when the command line lacks an address or a token, or its file is damaged; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An API address and a token; the token never shows in a repr."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"Account(url={self.url!r})"


def account_path(environment: Mapping[str, str]) -> Path:
    """The file that stores the account, by the XDG rules."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "leadersboard" / "account.json"


def find_account(environment: Mapping[str, str]) -> Account:
    """The account to use: environment variables first, then the file. Raises NotConfigured without a token."""
    kept = _read(account_path(environment))
    token = environment.get("LEADERSBOARD_TOKEN") or kept.token
    if not token:
        raise NotConfigured("You are not signed in. Run `leadersboard login`, or set LEADERSBOARD_TOKEN.")
    return replace(kept, url=checked_url(environment.get("API_URL") or kept.url), token=token)


def checked_url(url: str) -> str:
    """The address without a trailing slash. Raises NotConfigured if it is no address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotConfigured(f"{url!r} is not an API address. It looks like {DEFAULT_URL}.")
    return url.rstrip("/")


def keep_account(account: Account, path: Path) -> None:
    """Write the account; other users cannot read the file at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = path.with_suffix(".new")
    staged.unlink(missing_ok=True)
    handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"url": account.url, "token": account.token}, file)
    staged.replace(path)


def forget_account(path: Path) -> bool:
    """Delete the account. Returns whether there was one."""
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def kept_account(path: Path) -> Account | None:
    """The account in the file; None if there is none or it cannot be read."""
    try:
        kept = _read(path)
    except NotConfigured:
        return None
    return kept if kept.token else None


def _read(path: Path) -> Account:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Account(url=str(kept["url"]), token=str(kept["token"]))
    except FileNotFoundError:
        return Account(url=DEFAULT_URL, token="")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotConfigured(f"{path} cannot be read. Run `leadersboard login` again.") from error
