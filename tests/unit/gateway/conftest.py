"""A gateway on twins in memory, and sign-ins with cheap hashing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.sites import Site
from tests.unit.gateway.auth.door import Door
from tests.unit.gateway.auth.issuer import Issuer
from tests.unit.gateway.auth.issuer_door import IssuerDoor


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site that nobody has used."""
    with closing(Site(tmp_path)) as found:
        yield found


@pytest.fixture(scope="module")
def refusing_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for all tests of a module whose requests are refused and change nothing."""
    with closing(Site(tmp_path_factory.mktemp("site"))) as found:
        yield found


@pytest.fixture
def door() -> Door:
    """A sign-in that nobody has used."""
    return Door()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer that serves during the test."""
    serving = Issuer()
    yield serving
    serving.close()


@pytest.fixture
def trusting(issuer: Issuer) -> IssuerDoor:
    """A sign-in that trusts it."""
    return IssuerDoor(issuer)
