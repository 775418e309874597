"""Metrics that lie elsewhere or have another name, as the real engine reads them; the twin has the same cases."""

from __future__ import annotations

import pytest

from runner.engine.docker_engine import DockerEngine
from tests.misplaced_metrics import MISPLACED
from tests.twin_runner import TwinRunner

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(("program", "words"), MISPLACED.values(), ids=MISPLACED)
def test_what_was_meant_is_named(runner: TwinRunner[DockerEngine], program: str, words: str) -> None:
    """Field case 31 and its siblings: the file that was seen, and where it belongs."""
    job = runner.run(runner.claim(program))
    assert words in (job.error_message or "")
