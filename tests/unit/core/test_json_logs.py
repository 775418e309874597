"""Structured logs: one JSON object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from core import json_logs

pytestmark = pytest.mark.unit


@pytest.fixture
def configured() -> Iterator[None]:
    before = structlog.get_config()
    level = logging.getLogger("httpx2").level
    json_logs.configure()
    yield
    structlog.configure(**before)
    logging.getLogger("httpx2").setLevel(level)


def test_a_log_line_is_json_with_its_ids(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    """RUN-6: level, UTC time, the bound job id, and an exception's text."""
    with structlog.contextvars.bound_contextvars(job_id="j1"):
        structlog.get_logger().error("run broke", exc_info=ValueError("broken\nline"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    found = json.loads(lines[0])
    assert (found["event"], found["level"], found["job_id"]) == ("run broke", "error", "j1")
    assert "broken" in found["exception"]
    assert found["timestamp"].endswith("Z")


def test_the_http_client_does_not_drown_the_rest(configured: None) -> None:
    """Each request's own line stays out."""
    assert logging.getLogger("httpx2").getEffectiveLevel() == logging.WARNING
