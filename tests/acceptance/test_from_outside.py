"""From a second network namespace, at the published ports of the running site: what opens, and what changes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from tests.acceptance.namespace import namespace
from tests.conftest import Stack, service
from tests.tracked_site import Recorded, record

pytestmark = pytest.mark.acceptance

HERE = Path(__file__).parent
PAGE = 500
SHUT = (5000, 6379)
"""Ports of parts that are published nowhere."""


def port_of(url: str) -> int:
    found = urlsplit(url).port
    assert found is not None
    return found


@pytest.fixture
def runs(mlflow_url: str, tmp_path: Path) -> Iterator[Mapping[str, Recorded]]:
    """A completed job of each of two users of the running site, on its board."""
    ledger = f"{service('LEADERSBOARD_TEST_REDIS_URL')}/0"
    with closing(MlflowTracking(mlflow_url)) as tracking:
        made = {user: record(tracking, ledger, tmp_path, "synthetic", user) for user in ("researcher", "other")}
        yield made
        for recorded in made.values():
            tracking.discard(recorded.ref.run_id, closed=True)


def board(stack: Stack) -> Mapping[str, Any]:
    """The figures of every entry, on however many pages: jobs of other tests may have ended on this site."""
    found: dict[str, Any] = {}
    with httpx2.Client(base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.admin_token}"}) as api:
        for offset in itertools.count(0, PAGE):
            query = {"benchmark": "synthetic", "entries": "all", "limit": PAGE, "offset": offset}
            rows = api.get("/leaderboard", params=query).raise_for_status().json()["items"]
            found |= {row["job_id"]: row["metrics"] for row in rows}
            if len(rows) < PAGE:
                return found
    raise AssertionError("there is a last page")


def places(recorded: Recorded) -> Mapping[str, str]:
    """Where its job and its run are found."""
    ref = recorded.ref
    return {"job_id": recorded.job_id, "run_id": ref.run_id, "experiment_id": ref.experiment_id}


def test_from_outside_pages_open_files_of_others_do_not_and_nothing_changes(
    stack: Stack, runs: Mapping[str, Recorded], mlflow_url: str
) -> None:
    """DOR-3, DOR-4, DOR-7: a run's page after the sign-in, not another's file or log; no request moves a score."""
    ports = {"api": port_of(stack.api_url), "ui": port_of(stack.ui_url), "mlflow": port_of(stack.mlflow_url)}
    inner = [port_of(mlflow_url), port_of(service("LEADERSBOARD_TEST_REDIS_URL"))]
    asked = {
        **ports,
        "tokens": {"researcher": stack.token, "other": stack.other_token, "admin": stack.admin_token},
        "runs": {user: places(recorded) for user, recorded in runs.items()},
        "shut": [*SHUT, *inner],
        "chromium": service("LEADERSBOARD_TEST_CHROMIUM"),
    }
    before = board(stack)
    assert {recorded.job_id for recorded in runs.values()} <= set(before)
    with namespace(list(ports.values())) as other:
        done = other.python(HERE / "from_outside.py", json.dumps({**asked, "host": other.host}))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["open"] == []
    everything, metrics_only = [200, 200, 200, 200], [200, 404, 404, 404]
    assert found["pages"] == {
        "researcher": {"page": True, "researcher": everything, "other": metrics_only},
        "other": {"page": True, "researcher": metrics_only, "other": everything},
        "admin": {"page": True, "researcher": everything, "other": everything},
    }
    assert found["seen"] == {
        "page of researcher": True,
        "file of researcher": True,
        "page of other": True,
        "file of other": False,
    }
    for who, statuses in found["writes"].items():
        assert not any(status < 400 or status >= 500 for status in statuses), (who, statuses)
    after = board(stack)
    assert {job_id: after[job_id] for job_id in before} == before
