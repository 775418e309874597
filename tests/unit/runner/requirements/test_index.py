"""The package index: which hosts it has, and that no log shows its address or password."""

from __future__ import annotations

import pytest

from core.settings import Settings
from runner.requirements.index import Index
from tests.unit.runner.requirements.installations import INDEX

pytestmark = pytest.mark.unit


def test_users_read_no_address_of_the_index() -> None:
    """pip's lines are in the job's log."""
    shown = INDEX.hidden("at https://ann:secret@index.example:8443/simple/x HTTPSConnectionPool(host='index.example')")
    assert shown == "at (the index)/x HTTPSConnectionPool(host='(the index)')"
    assert "secret" not in repr(INDEX)


def test_the_proxy_lets_the_index_through_and_nothing_else() -> None:
    """By host and port; an index that keeps its files elsewhere says where."""
    assert INDEX.allowed == ("index.example:8443", "other.example:80")
    public = Index(urls=("https://index.example/simple",), more_hosts=("files.example",))
    assert public.allowed == ("files.example:443", "index.example:443")


def test_without_an_index_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that names none asks none: no address is built in."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    assert Index.of(Settings()).allowed == ()
