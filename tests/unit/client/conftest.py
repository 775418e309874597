"""Fixtures of the client's tests."""

import pytest

from tests.unit.client.fake_platform import Platform


@pytest.fixture
def platform() -> Platform:
    """A platform that knows nothing yet."""
    return Platform()
