"""The tracking port's contract for what somebody changes at MLflow: it is seen and written back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.errors import NotFound
from core.domain.sealed_result import SealedFile
from core.domain.tracking_state import TrackingState, compared
from core.ports.tracking import TrackingPort
from tests.contract.tracking.results import result_of
from tests.unit.core.test_provenance import FULL

pytestmark = pytest.mark.contract


def test_a_run_is_compared_with_what_was_recorded(tracking: TrackingPort, fresh_name: str, artifacts: Path) -> None:
    """DOR-3: a run that nobody touched is as recorded, its files included; one that is not there is missing."""
    files = [SealedFile(path=path.relative_to(artifacts).as_posix(), size_bytes=path.stat().st_size)
             for path in artifacts.rglob("*.*")]  # fmt: skip
    result = replace(result_of(fresh_name, artifacts), files=files)
    ref = tracking.record(result)
    sealed = result.sealed_as(ref)
    run = tracking.tracked([ref])[ref.run_id]
    assert compared(sealed, run, tracking.files(ref.run_id)).differences == ()
    assert compared(sealed, run).state is TrackingState.AS_RECORDED
    assert tracking.tracked([replace(ref, run_id="f" * 32)]) == {}


CHANGES: dict[str, tuple[str, dict[str, Any], str]] = {
    "logged again": ("/runs/log-metric", {"key": "image_auc", "value": 0.9999, "timestamp": 2**42}, "metric image_auc"),
    "logged at the last step": (
        "/runs/log-metric",
        {"key": "image_auc", "value": 0.9999, "timestamp": 2**62, "step": 2**62},
        "metric image_auc",
    ),
    "another tag": ("/runs/set-tag", {"key": "leadersboard.user_id", "value": "eve"}, "tag leadersboard.user_id"),
    "no tag": ("/runs/delete-tag", {"key": "leadersboard.job_id"}, "tag leadersboard.job_id is gone"),
    "opened again": ("/runs/update", {"status": "RUNNING"}, "status is RUNNING"),
    "another end": ("/runs/update", {"status": "FINISHED", "end_time": 1}, "the run's end is 1970"),
    "deleted": ("/runs/delete", {}, "was deleted"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_what_somebody_changes_is_shown_and_can_be_written_back(
    mlflow: MlflowTracking, fresh_name: str, how: str
) -> None:
    """DOR-3: by one REST call on a finished run."""
    path, body, words = CHANGES[how]
    result = result_of(fresh_name)
    ref = mlflow.record(result)
    sealed = result.sealed_as(ref)
    mlflow._post(path, {"run_id": ref.run_id, **body})
    found = compared(sealed, mlflow.tracked([ref]).get(ref.run_id))
    assert found.state in {TrackingState.CHANGED, TrackingState.MISSING}
    assert any(words in difference for difference in found.differences), found
    mlflow.rewrite(sealed)
    assert compared(sealed, mlflow.tracked([ref]).get(ref.run_id)).differences == ()


def test_what_mlflow_never_gives_up_stays_a_difference(mlflow: MlflowTracking, fresh_name: str) -> None:
    """An added metric or param cannot be removed there; nothing else is wrong after a rewrite."""
    result = result_of(fresh_name)
    ref = mlflow.record(result)
    mlflow._post("/runs/log-metric", {"run_id": ref.run_id, "key": "added", "value": 1, "timestamp": 1})
    mlflow._post("/runs/log-parameter", {"run_id": ref.run_id, "key": "seed", "value": "7"})
    mlflow.rewrite(result.sealed_as(ref))
    found = compared(result.sealed_as(ref), mlflow.tracked([ref])[ref.run_id])
    assert found.differences == (
        "metric added is 1.0, which was not recorded", "param seed is 7, which was not recorded",
    )  # fmt: skip


def test_many_runs_are_asked_for_together(
    mlflow: MlflowTracking, fresh_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one search names, and of more than one experiment."""
    refs = [mlflow.record(result_of(f"{fresh_name}-{number % 2}")) for number in range(5)]
    monkeypatch.setattr("core.adapters.mlflow.tracking.IDS", 2)
    assert set(mlflow.tracked(refs)) == {ref.run_id for ref in refs}


def test_an_unknown_run_is_not_found(tracking: TrackingPort) -> None:
    """The board may hold a link to a run that an admin has deleted."""
    with pytest.raises(NotFound):
        tracking.get_run("f" * 32)


def test_the_most_that_is_noted_of_an_origin_is_recorded(tracking: TrackingPort, fresh_name: str) -> None:
    """Its tags are within the server's limits, and one that somebody changes is shown."""
    result = replace(result_of(fresh_name), provenance=FULL)
    ref = tracking.record(result)
    run = tracking.tracked([ref])[ref.run_id]
    assert compared(result.sealed_as(ref), run).differences == ()
    assert {**run.tags, **FULL.tags} == dict(run.tags)
    name = next(iter(FULL.tags))
    changed = replace(run, tags={**run.tags, name: "x"})
    assert compared(result.sealed_as(ref), changed).differences[0].startswith(f"tag {name} is x")
