"""Output that goes while it is read: an empty folder is then the engine's doing, and no verdict on the submission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.job import JobState
from core.ports.tracking import Result, RunRef
from runner.engine.docker_engine import DockerEngine
from runner.engine.output.volume import OutputVolume
from runner.engine.resources import remove
from runner.run_folder import RunFolder
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker

KILL: dict[str, Callable[[OutputVolume], object]] = {
    "ends": lambda volume: volume.holder.kill(),  # as when the engine is restarted
    "is removed": lambda volume: remove(volume.holder),  # as a slower runner does with what it has read
}
MOMENTS = BEFORE, AFTER = "before metrics.json is read", "after metrics.json is read"


def lose_it(monkeypatch: pytest.MonkeyPatch, how: str, moment: str, first: Callable[[OutputVolume], object]) -> None:
    """The first run's holder goes at that moment of its harvest; something happens right before that."""
    metrics, lost = OutputVolume._metrics, []

    def lose(volume: OutputVolume, *, now: bool) -> None:
        if now and not lost:
            lost.append(volume)
            first(volume)
            KILL[how](volume)

    def losing(volume: OutputVolume) -> tuple[bytes | None, str | None]:
        lose(volume, now=moment == BEFORE)
        found = metrics(volume)
        lose(volume, now=moment == AFTER)
        return found

    monkeypatch.setattr(OutputVolume, "_metrics", losing)


def recorded_files(runner: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The pictures that come with each result, filled in as results are recorded."""
    record, files = runner.tracking.record, []

    def look(result: Result, **named: Any) -> RunRef:
        assert result.artifacts is not None
        files.extend(path.relative_to(result.artifacts) for path in result.artifacts.rglob("*.png"))
        return record(result, **named)

    monkeypatch.setattr(runner.tracking, "record", look)
    return files


@pytest.mark.parametrize("how", KILL)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_whose_output_is_lost_is_run_again(
    runner: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch, how: str, moment: str
) -> None:
    """Neither "no metrics" nor a result without its files; the second attempt brings both."""
    lose_it(monkeypatch, how, moment, lambda _volume: None)
    files = recorded_files(runner, monkeypatch)
    job = runner.run(runner.claim(GOOD))
    assert (job.state, files) == (JobState.PENDING, [])
    assert "The platform failed in attempt 1; the job is run again." in runner.log_of(job)
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt, files) == (JobState.COMPLETED, 2, [Path("curves/roc.png")])


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_slower_runner_has_read_is_not_read_over(
    runner: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """It read everything, named it and cleared up, while we were reading: its result counts, in the same attempt."""
    claim = runner.claim(GOOD)
    folder = RunFolder(path=runner.root / "jobs" / f"{claim.job_id}-{claim.mark}")

    def slower_reads(volume: OutputVolume) -> None:
        record, into = folder.ended(), folder.path / "artifacts.slower"
        assert record is not None
        into.mkdir()
        found = volume.harvest(into)
        folder.harvest(replace(record, metrics=found.metrics), into)

    files = recorded_files(runner, monkeypatch)
    lose_it(monkeypatch, "is removed", moment, slower_reads)
    job = runner.run(claim)
    assert (job.state, job.attempt, files) == (JobState.COMPLETED, 1, [Path("curves/roc.png")]), runner.log_of(job)
