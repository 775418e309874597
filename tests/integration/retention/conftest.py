"""The site whose old jobs go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.integration.retention.site import Site


@pytest.fixture
def site(tmp_path: Path, redis_client: redis.Redis, mlflow_url: str, fresh_name: str) -> Iterator[Site]:
    made = Site(tmp_path, redis_client, mlflow_url, fresh_name)
    yield made
    made.tracking.close()
    made.runs.close()
