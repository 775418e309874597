"""The walk of docs/architecture.md: a claim goes through the files of its steps once, in order."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from core.domain.job import JobState
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.unit

STEPS = ["launch", "watch", "collect", "verdict", "record", "release"]
MOST_RETURNS = 5


class Walk:
    """The step files in which a thread has been, in order; a file that calls another one is entered again after it."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._within: list[str] = []

    def __call__(self, frame: FrameType, event: str, _arg: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if path.stem not in {"run_job", *STEPS} or path.parent.name not in {"job", "domain"}:
            return
        if frame.f_code.co_name == "passed":  # a look at a verdict, which judges nothing
            return
        if event == "call":
            self._within.append(path.stem)
        elif event == "return":
            self._within.pop()
        if self._within and (not self.files or self.files[-1] != self._within[-1]):
            self.files.append(self._within[-1])


def test_a_claim_enters_each_file_once_in_order(runner: TwinRunner[ProcessEngine]) -> None:
    """And goes back to the one that takes the steps, five times at most; what follows the last step is its end."""
    walk = Walk()
    claim = runner.claim(GOOD)
    sys.setprofile(walk)
    try:
        job = runner.run(claim)
    finally:
        sys.setprofile(None)
    assert job.state is JobState.COMPLETED
    hub, *rest = walk.files[: walk.files.index("release") + 1]
    assert [name for name in rest if name != hub] == STEPS
    assert rest.count(hub) <= MOST_RETURNS
    assert walk.files[len(rest) + 1 :] in ([], [hub])
