"""A site whose Redis or MLflow a test can kill, stop or fill."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docker.conftest import MOST_SHOWN, opened_site
from tests.docker.own_parts import OwnPart, own_redis
from tests.docker.runner_site import Site
from tests.integration.freezing_proxy import FreezingProxy, freezing_proxy


@pytest.fixture
def ledger_server(fresh_name: str) -> Iterator[OwnPart]:
    with own_redis(fresh_name) as server:
        yield server


@pytest.fixture
def fragile(
    engine_folder: Path, ledger_server: OwnPart, mlflow_url: str, image: str, fresh_name: str
) -> Iterator[Site]:
    """A site whose Redis may be killed. What its runner processes said is shown with a test that fails."""
    with opened_site(engine_folder, ledger_server.url, mlflow_url, image, fresh_name) as site:
        yield site
        sys.stdout.write(site.words()[-MOST_SHOWN:])


@pytest.fixture
def mlflow_door(mlflow_url: str) -> Iterator[FreezingProxy]:
    parts = urlsplit(mlflow_url)
    assert parts.hostname is not None
    assert parts.port is not None
    with freezing_proxy((parts.hostname, parts.port)) as proxy:
        yield proxy
