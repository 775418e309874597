"""One gateway on real Redis and MLflow for all tests here that do not need one of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_url
from tests.running_gateway import Door, environment, gateway_thread


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory, mlflow_url: str) -> Iterator[Door]:
    """Shared, so a test leaves nothing in it that disturbs another; its Redis database is emptied before and after."""
    root: Path = tmp_path_factory.mktemp("door")
    client = redis.Redis.from_url(redis_url())
    client.flushdb()
    with gateway_thread(root, environment(root, redis_url=redis_url(), mlflow_url=mlflow_url)) as running:
        yield running
    client.flushdb()
    client.close()
