"""A runner of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process_sandbox import ProcessEngine
from tests.runner_bench import Bench


@pytest.fixture
def runner(tmp_path: Path) -> Bench[ProcessEngine]:
    return Bench(tmp_path, ProcessEngine(tmp_path / "engine"))
