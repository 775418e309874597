"""A run beside its sealed result, as a table: whatever differs is said, and nothing else (DOR-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.sealed_result import SealedFile
from core.domain.tracking_state import MAX_DIFFERENCES, TrackedRun, TrackingState, compared, recorded_tags
from tests.builders import NOON
from tests.unit.core.test_sealed_result import RESULT

pytestmark = pytest.mark.unit

RUN = TrackedRun(
    run_id=RESULT.run_id,
    experiment_id="1",
    status="FINISHED",
    is_deleted=False,
    ended_at=NOON,
    metrics=RESULT.all_metrics,
    params=RESULT.params,
    tags={**recorded_tags(RESULT), "mlflow.note.content": "whatever somebody noted"},
)
TAGS = recorded_tags(RESULT)


def test_an_untouched_run_is_as_recorded() -> None:
    """Notes and other tags are free for everybody; part of a millisecond is lost on the way."""
    result = replace(RESULT, ended_at=NOON + timedelta(microseconds=999))
    assert compared(result, RUN).state is TrackingState.AS_RECORDED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metrics": RESULT.all_metrics | {"a": 0.9999}}, "metric a is 0.9999, recorded 0.1"),
        ({"metrics": RESULT.all_metrics | {"a": float("nan")}}, "metric a is nan, recorded 0.1"),
        ({"metrics": {"a": 0.1, "b": 1e-300}}, "metric system/wall_seconds is gone, recorded 3.0"),
        ({"metrics": RESULT.all_metrics | {"c": 1.0}}, "metric c is 1.0, which was not recorded"),
        ({"params": {"method": "other"}}, "param method is other, recorded PaDiM"),
        ({"params": {}}, "param method is gone, recorded PaDiM"),
        ({"params": {"method": "PaDiM", "x": "y"}}, "param x is y, which was not recorded"),
        ({"tags": TAGS | {"leadersboard.user_id": "eve"}}, "tag leadersboard.user_id is eve, recorded ann"),
        ({"tags": {}}, "tag leadersboard.benchmark is gone, recorded synthetic"),
        ({"status": "RUNNING"}, "the run's status is RUNNING, recorded FINISHED"),
        ({"status": "FAILED"}, "the run's status is FAILED, recorded FINISHED"),
        ({"ended_at": None}, "the run's end is not set, recorded 2026-01-02T12:00:00.000+00:00"),
        ({"ended_at": NOON + timedelta(seconds=1)}, "the run's end is 2026-01-02T12:00:01.000+00:00, recorded"),
        ({"experiment_id": "2"}, "the run is in experiment 2, recorded in 1"),
    ],
)
def test_whatever_differs_is_said(changes: dict[str, Any], words: str) -> None:
    """One sentence for each."""
    found = compared(RESULT, replace(RUN, **changes))
    assert found.state is TrackingState.CHANGED
    assert found.differences[0].startswith(words)


def test_a_run_that_is_not_there_is_missing() -> None:
    """Deleted, or gone for good."""
    assert compared(RESULT, None).state is TrackingState.MISSING
    assert compared(RESULT, replace(RUN, is_deleted=True)).differences == ("the run was deleted in MLflow",)


def test_files_are_compared_by_name_and_size() -> None:
    """But the job's log, which may have grown by a line; and not where they were too large to be recorded."""
    log = SealedFile(path=f"logs/{RESULT.job_id}.log", size_bytes=5)
    result = replace(RESULT, files=(SealedFile(path="a", size_bytes=1), SealedFile(path="b", size_bytes=1), log))
    listed = [SealedFile(path="b", size_bytes=2), SealedFile(path="c", size_bytes=1)]
    found = compared(result, RUN, listed)
    assert found.differences == ("file a is gone", "file b has 2 bytes, recorded 1", "file c was not recorded")
    assert compared(result, RUN).differences == ()
    assert compared(replace(result, files=(), left_out=("files",)), RUN, listed).differences == ()


def test_what_was_too_large_for_the_seal_is_not_missed() -> None:
    """Cut params are compared as far as they are known."""
    run = replace(RUN, params={"method": "PaDiM", "long": "abcdef"})
    cut = replace(RESULT, params={"method": "PaDiM", "long": "abc"}, left_out=("files", "long params"))
    assert compared(cut, run).differences == ()
    assert compared(cut, replace(run, params={"method": "PaDiM", "long": "xbcdef"})).state is TrackingState.CHANGED
    assert compared(replace(RESULT, params={}, left_out=("files", "params")), run).differences == ()


def test_hostile_differences_are_bounded() -> None:
    """A million metrics of endless names make no endless answer."""
    metrics = {f"{number:06d}" + "x" * 1000: 1.0 for number in range(1000)}
    found = compared(RESULT, replace(RUN, metrics=metrics))
    assert (len(found.differences), found.differences[-1]) == (MAX_DIFFERENCES, "and more")
    assert max(map(len, found.differences)) < 300
