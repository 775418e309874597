"""Health: alive, and ready."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from core.domain.errors import Unavailable
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from core.settings import Settings
from gateway.app import create_app
from tests.sites import Site

pytestmark = pytest.mark.unit


@pytest.mark.slow
def test_live_asks_nobody() -> None:
    """It answers as long as the process does, whatever is away; here the app was not even started."""
    answer = TestClient(create_app(Settings())).get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_names_each_dependency(site: Site) -> None:
    """RUN-6: all ok is 200."""
    answer = site.as_(None).get("/health/ready")
    assert answer.status_code == 200
    expected = {"redis": "ok", "mlflow": "ok", "storage": "ok"}
    assert answer.json() == {"status": "ok", "dependencies": expected, "folders": {}, "runners": "none ready"}


@pytest.mark.parametrize("part", ["redis", "mlflow", "storage"])
def test_ready_is_503_when_one_is_away(site: Site, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """The one that does not answer is named; the others are still told."""

    def away() -> None:
        raise Unavailable("x")

    if part == "redis":
        monkeypatch.setattr(site.ports.job_status, "check", away)
    elif part == "mlflow":
        site.ports.tracking.away = True
    else:
        shutil.rmtree(site.root / "logs")
    answer = site.as_(None).get("/health/ready")
    assert answer.status_code == 503
    expected = {"redis": "ok", "mlflow": "ok", "storage": "ok"} | {part: "unavailable"}
    assert answer.json() == {"status": "unavailable", "dependencies": expected, "folders": {}, "runners": None}


def ready(state: RunnerState = RunnerState.READY, reason: str | None = None) -> RunnerReport:
    small = ClassFigures(name="small", cpus=1, memory_bytes=1, gpus="auto", timeout_seconds=1)
    since = datetime.now(UTC)
    return RunnerReport(name="box:1", host="e", version="1", since=since, state=state, reason=reason, classes=(small,))


def there(site: Site, state: RunnerState = RunnerState.READY) -> None:
    site.ports.runners.publish(ready(state))


def forget(site: Site) -> None:
    """What was asked a moment ago is asked again."""
    site.state.forecast._kept.clear()


def test_readiness_tells_whether_runners_are_there(site: Site) -> None:
    """RUN-6: the API serves without them, so they are told and do not make it 503."""
    assert site.as_(None).get("/health/ready").json()["runners"] == "none ready"
    there(site)
    forget(site)
    answer = site.as_(None).get("/health/ready")
    assert (answer.status_code, answer.json()["runners"]) == (200, "1 ready")
