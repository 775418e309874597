"""Fixtures of the door's tests."""

from __future__ import annotations

import pytest

from tests.unit.auth.door import Door


@pytest.fixture
def door() -> Door:
    """A door that nobody has come through."""
    return Door()
