"""The tracking port under test: the twin in memory, then MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.ports.tracking import TrackingPort
from tests.twins.tracking import MemoryTracking


@pytest.fixture
def mlflow(mlflow_url: str) -> Iterator[MlflowTracking]:
    with closing(MlflowTracking(mlflow_url)) as tracking:
        yield tracking


@pytest.fixture(params=["memory", "mlflow"])
def tracking(request: pytest.FixtureRequest) -> TrackingPort:
    return MemoryTracking() if request.param == "memory" else request.getfixturevalue("mlflow")


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    (tmp_path / "curves").mkdir()
    (tmp_path / "curves" / "roc (1), é.png").write_bytes(b"png")
    (tmp_path / "notes.txt").write_bytes(b"")
    return tmp_path
