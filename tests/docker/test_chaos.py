"""A short run of measurements/chaos: what breaks at random loses, doubles and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from measurements.chaos.plan import Plan, table
from measurements.chaos.run import run
from tests.conftest import service

pytestmark = [pytest.mark.docker, pytest.mark.alone]


def test_a_minute_of_random_faults_loses_nothing(engine_folder: Path, image: str) -> None:
    """REL-2: kills, pauses and restarts of every part, unusable folders, jumping clocks, differing settings."""
    assert image
    assert service("LEADERSBOARD_TEST_PROJECT")
    plan = Plan(seconds=45, jobs=40, seed=7)
    report = run(plan, engine_folder)
    assert report.wrong == [], table(plan, report)
    assert sum(report.faults.values()) >= 3
