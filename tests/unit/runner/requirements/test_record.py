"""What the installer says that it installed."""

from __future__ import annotations

import pytest

from core.domain.errors import InvalidInput
from runner.requirements.record import packages_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "record",
    [b"", b"{}", b"[1]", b"[" * 100_000, b'[{"name":"a\\nb","version":"1","sha256":"%s"}]' % (b"0" * 64),
     b'[{"name":"a","version":"${X}","sha256":"%s"}]' % (b"0" * 64), b'[{"name":"a","version":"1","sha256":"x"}]'],
)  # fmt: skip
def test_a_record_of_packages_is_read_as_untrusted(record: bytes) -> None:
    """It becomes lines of a log."""
    with pytest.raises(InvalidInput):
        packages_of(record)
