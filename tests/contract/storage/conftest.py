"""The storage under test, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ports.storage import StoragePort
from tests.contract.storage.folders import storage_at


@pytest.fixture
def storage(tmp_path: Path) -> StoragePort:
    return storage_at(tmp_path)
