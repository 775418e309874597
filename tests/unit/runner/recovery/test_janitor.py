"""What killed probes left on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.lease.living_processes import LivingProcesses
from runner.recovery.janitor import Janitor
from runner.requirements.cache import DependencyCache
from tests.process_sandbox import ProcessEngine

pytestmark = pytest.mark.unit


def test_a_program_of_a_probe_that_was_not_put_in_place_goes(tmp_path: Path) -> None:
    """Its process was killed between the two; one that is being written stays."""
    folder = tmp_path / ".canary" / "program"
    folder.mkdir(parents=True)
    old, young, placed = folder / ".canary_walls.py-1-ab", folder / ".canary_walls.py-2-cd", folder / "canary_walls.py"
    for path in (old, young, placed):
        path.write_text("x")
    for path in (old, placed):
        os.utime(path, (1, 1))
    janitor = Janitor(
        engine=ProcessEngine(tmp_path), processes=LivingProcesses(job_root=tmp_path, host="here"),
        cache=DependencyCache(job_root=tmp_path, kept_bytes=0),
    )  # fmt: skip
    assert dict(janitor.old())["part"] == 1
    assert [path.exists() for path in (old, young, placed)] == [False, True, True]
