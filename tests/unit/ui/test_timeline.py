"""The timeline of a job's phases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.ui.test_markup import job
from ui.pages.timeline import steps_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("changes", "looks"),
    [
        ({}, "now todo todo todo todo todo"),
        ({"status": "running", "phase": "collecting"}, "done done done now todo todo"),
        ({"status": "running", "phase": "scoring"}, "done done done done now todo todo"),
        ({"status": "running", "phase": "a new one"}, "now todo todo todo todo todo"),
        ({"status": "completed", "phase": "done"}, "done done done done done done"),
        ({"status": "failed", "started_at": datetime.now(UTC)}, "done done done todo todo bad"),
        ({"status": "cancelled"}, "done todo todo todo todo stopped"),
    ],
)
def test_the_timeline_shows_where_it_stands(changes: dict[str, Any], looks: str) -> None:
    """What is over, what goes on, what is to come, and how it ended."""
    assert " ".join(step.look for step in steps_of(job(**changes))) == looks
