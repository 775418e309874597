"""Fixtures of the door's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.auth.door import Door
from tests.unit.auth.issuer import Issuer
from tests.unit.auth.issuer_door import IssuerDoor


@pytest.fixture
def door() -> Door:
    """A door that nobody has come through."""
    return Door()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer that serves during the test."""
    serving = Issuer()
    yield serving
    serving.close()


@pytest.fixture
def trusting(issuer: Issuer) -> IssuerDoor:
    """A door that trusts it."""
    return IssuerDoor(issuer)
