"""Health: alive, and ready."""

from __future__ import annotations

import shutil

import pytest

from core.domain.errors import Unavailable
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


def test_live_asks_nobody(site: Site) -> None:
    """It answers as long as the process does, whatever is away."""
    site.app.state.ports = None
    answer = site.as_(None).get("/health/live")
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
