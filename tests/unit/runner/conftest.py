"""A runner of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner


@pytest.fixture
def runner(tmp_path: Path) -> TwinRunner[ProcessEngine]:
    return TwinRunner(tmp_path, ProcessEngine(tmp_path / "engine"))
