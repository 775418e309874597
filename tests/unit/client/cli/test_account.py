"""The kept account: whose eyes may see it, and what stands before it."""

from pathlib import Path

import pytest

from client.cli.account import (
    Account,
    NotConfigured,
    account_path,
    checked_url,
    find_account,
    forget_account,
    keep_account,
)

pytestmark = pytest.mark.unit


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with a configuration folder of its own."""
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_only_its_owner_reads_the_file(home: dict[str, str]) -> None:
    """The file with the token is 0600, also when an older one was not."""
    path = account_path(home)
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o644)
    keep_account(Account(url="http://a", token="t"), path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert find_account(home).token == "t"


def test_the_environment_wins(home: dict[str, str]) -> None:
    """Address and token of the environment stand before the file's, each for itself."""
    keep_account(Account(url="http://kept", token="kept"), account_path(home))
    assert find_account(home | {"LEADERSBOARD_TOKEN": "given"}) == Account(url="http://kept", token="given")
    assert find_account(home | {"API_URL": "http://given/"}) == Account(url="http://given", token="kept")


def test_without_a_token_the_next_step_is_told(home: dict[str, str]) -> None:
    """Nobody signed in is told how to sign in."""
    with pytest.raises(NotConfigured, match="leadersboard login"):
        find_account(home)


def test_a_damaged_file_is_told(home: dict[str, str]) -> None:
    """A file that cannot be read does not become a crash."""
    account_path(home).parent.mkdir()
    account_path(home).write_text("{")
    with pytest.raises(NotConfigured, match="login"):
        find_account(home)


@pytest.mark.parametrize("url", ["localhost:8010", "ftp://a", "http://", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    """Only http and https addresses with a host pass."""
    with pytest.raises(NotConfigured):
        checked_url(url)


def test_the_token_does_not_show() -> None:
    """An account in a log or traceback does not tell its token."""
    assert "secret" not in repr(Account(url="http://a", token="secret"))


def test_forgetting_deletes(home: dict[str, str]) -> None:
    """After forgetting there is nothing, and forgetting again is no error."""
    keep_account(Account(url="http://a", token="t"), account_path(home))
    assert forget_account(account_path(home))
    assert not forget_account(account_path(home))
