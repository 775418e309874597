"""A runner on twins for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.worker import actor
from tests.unit.runner.worker.post import Post


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(actor, "PASS_ON_SECONDS", 0.0)
    return Post(root=tmp_path)
