"""How long a program ran, from what the engine says of its container."""

from __future__ import annotations

import pytest

from runner.engine.docker_sandbox import _ran

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("began", "ended", "seconds"),
    [
        ("2026-11-27T10:00:00.123456789Z", "2026-11-27T10:00:01.623456999Z", 1.5),
        ("2026-11-27T10:00:00Z", "2026-11-27T11:00:00.5+01:00", 0.5),
        ("2026-11-27T10:00:05Z", "2026-11-27T10:00:00Z", None),
    ],
)
def test_a_run_lasted_from_its_start_to_its_end(began: str, ended: str, seconds: float | None) -> None:
    """Nanoseconds, no fraction, a zone, and a clock that was put back meanwhile."""
    assert _ran({"StartedAt": began, "FinishedAt": ended}) == pytest.approx(seconds)
