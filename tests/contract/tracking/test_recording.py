"""The tracking port's contract for recording: one job, one run, with everything of its result."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.errors import LeaseLost, NotFound, Unavailable
from core.domain.links import run_resource
from core.domain.metrics import RunMetrics
from core.ports.tracking import RunRef, TrackingPort
from tests.contract.tracking.results import recorded, result_of

pytestmark = pytest.mark.contract


def test_a_recorded_run_holds_everything_of_its_result(
    tracking: TrackingPort, fresh_name: str, artifacts: Path
) -> None:
    """TRK-2: params, metrics, performance and our own measurements as system/ metrics, artifacts."""
    ref = tracking.record(result_of(fresh_name, artifacts))
    run = tracking.get_run(ref.run_id)
    assert run.ref == ref
    assert run.params == {"method": "PaDiM", "epochs": "1"}
    assert run.metrics == {
        "image_auc": 0.75, "weave/pixel auc": 0.5, "system/training_time_seconds": 3.5, "system/wall_seconds": 8.5,
    }  # fmt: skip
    assert {(file.path, file.size_bytes) for file in run.artifacts} == {("curves/roc (1), é.png", 3), ("notes.txt", 0)}


def test_a_recorded_file_is_read_in_pieces(tracking: TrackingPort, fresh_name: str, artifacts: Path) -> None:
    """JOB-7: each file by its path, with its size, whatever its name; a large one is never whole in memory."""
    (artifacts / "large.bin").write_bytes(bytes(range(256)) * 8000)
    ref = tracking.record(result_of(fresh_name, artifacts))
    for name, raw in {"curves/roc (1), é.png": b"png", "notes.txt": b""}.items():
        with tracking.artifact(ref.run_id, name) as found:
            assert (found.size_bytes, b"".join(found.pieces)) == (len(raw), raw)
    with tracking.artifact(ref.run_id, "large.bin") as found:
        pieces = list(found.pieces)
    assert b"".join(pieces) == bytes(range(256)) * 8000
    assert max(map(len, pieces)) <= 256 * 1024


@pytest.mark.parametrize("path", ["nothing.txt", "curves", "curves/nothing.png"])
def test_what_is_no_recorded_file_is_not_found(
    tracking: TrackingPort, fresh_name: str, artifacts: Path, path: str
) -> None:
    """A file that is not there, a folder, and a run that is not there."""
    ref = tracking.record(result_of(fresh_name, artifacts))
    for run_id in (ref.run_id, "f" * 32):
        with pytest.raises(NotFound), tracking.artifact(run_id, path):
            pass


def test_files_that_are_gone_while_they_are_recorded_are_not_taken_for_none(
    mlflow: MlflowTracking, fresh_name: str, artifacts: Path
) -> None:
    """Their file system is not mounted for a moment: the run is not closed without them."""
    with pytest.raises(FileNotFoundError):
        mlflow.record(result_of(fresh_name, artifacts), note=lambda _run_id: shutil.rmtree(artifacts))
    assert recorded(mlflow, fresh_name) == {}
    assert mlflow.open_runs(fresh_name) == {}


def test_one_job_is_one_run_however_often_it_is_recorded(tracking: TrackingPort, fresh_name: str) -> None:
    """TRK-5: a repeated step answers the run that was noted, when that holds this very result."""
    result, noted = result_of(fresh_name), list[str]()
    first = tracking.record(result, note=noted.append)
    assert noted == [first.run_id]
    again = tracking.record(result, begun=first.run_id, note=noted.append)
    assert (again, again.ended_at, noted) == (first, first.ended_at, [first.run_id])
    assert recorded(tracking, fresh_name) == {first.run_id: result.job.job_id}


def test_a_noted_run_with_other_content_is_recorded_anew(tracking: TrackingPort, fresh_name: str) -> None:
    """DOR-3: what a later attempt seals is what its run holds; so is a run that somebody changed in between."""
    result = result_of(fresh_name, auc=0.5)
    ref = tracking.record(result)
    other = replace(result, metrics=replace(result.metrics, params={"method": "other"}, metrics={"image_auc": 0.9}))
    later = tracking.record(other, begun=ref.run_id)
    assert recorded(tracking, fresh_name) == {later.run_id: result.job.job_id}
    assert tracking.get_run(later.run_id).metrics["image_auc"] == 0.9


def test_what_is_measured_is_not_what_is_reported(tracking: TrackingPort, fresh_name: str) -> None:
    """A submission's word never stands in for our own figures, also where we have none."""
    result = result_of(fresh_name)
    liar = replace(result, metrics=replace(result.metrics, performance={"memory_bytes": 1.0, "wall_seconds": 1.0}))
    metrics = tracking.get_run(tracking.record(liar).run_id).metrics
    assert (metrics.get("system/memory_bytes"), metrics["system/wall_seconds"]) == (None, 8.5)


def test_a_result_is_sealed_before_it_is_final(tracking: TrackingPort, fresh_name: str) -> None:
    """JOB-8: and again where an earlier one is answered, once each time."""
    seen: list[int] = []
    result, noted = result_of(fresh_name), list[str]()
    for _time in range(2):
        tracking.record(
            result,
            begun=noted[0] if noted else None,
            note=noted.append,
            seal=lambda: seen.append(len(recorded(tracking, fresh_name))),
        )
    assert seen == [0, 1]

    def too_late(*_args: object) -> None:
        raise LeaseLost("The lease ran out.")

    for step in ("note", "seal"):
        with pytest.raises(LeaseLost):
            tracking.record(result_of(fresh_name), **{step: too_late})  # type: ignore[arg-type]
    assert list(recorded(tracking, fresh_name).values()) == [result.job.job_id]


def test_only_the_noted_run_counts(mlflow: MlflowTracking, fresh_name: str) -> None:
    """DOR-3: a forged run, finished and with the job's tags, is not taken for its result, nor does an open one stay."""
    result = result_of(fresh_name, auc=0.5)
    experiment = mlflow._experiment(fresh_name)
    forged, left_open = (mlflow._create_run(experiment, result) for _run in range(2))
    best = replace(result, metrics=replace(result.metrics, metrics={"image_auc": 0.9999}))
    mlflow._log(forged, best)
    mlflow._close_run(forged, best)
    ref = mlflow.record(result)
    assert ref.run_id not in {forged.run_id, left_open.run_id}
    assert mlflow.get_run(ref.run_id).metrics["image_auc"] == 0.5
    assert mlflow.open_runs(fresh_name) == {}


def test_an_experiment_that_somebody_deleted_comes_back(mlflow: MlflowTracking, fresh_name: str) -> None:
    """A click in MLflow's UI does not keep a benchmark's results from being recorded."""
    ref = mlflow.record(result_of(fresh_name))
    mlflow._post("/experiments/delete", {"experiment_id": ref.experiment_id})
    assert mlflow.record(result_of(fresh_name)).experiment_id == ref.experiment_id


def test_an_experiment_that_comes_back_twice_at_once_is_taken_as_it_is(
    mlflow: MlflowTracking, fresh_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow refuses to restore what somebody else restored a moment ago; that costs nobody an attempt."""
    ref = mlflow.record(result_of(fresh_name))
    mlflow._post("/experiments/delete", {"experiment_id": ref.experiment_id})
    post = mlflow._post

    def late(path: str, body: Mapping[str, Any]) -> Any:
        if path == "/experiments/restore":
            post(path, body)
        return post(path, body)

    monkeypatch.setattr(mlflow, "_post", late)
    assert mlflow.record(result_of(fresh_name)).experiment_id == ref.experiment_id


def test_more_figures_than_one_request_holds_are_all_recorded(tracking: TrackingPort, fresh_name: str) -> None:
    """A submission may send 500 metrics, 500 performance figures and 100 params."""
    many = RunMetrics(
        params={f"p{i}": "x" for i in range(100)},
        metrics={f"m{i}": float(i) for i in range(500)},
        performance={f"f{i}": float(i) for i in range(500)},
    )
    ref = tracking.record(replace(result_of(fresh_name), metrics=many))
    run = tracking.get_run(ref.run_id)
    assert (len(run.params), len(run.metrics)) == (100, 1001)


def test_an_artifact_that_the_server_refuses_costs_only_itself(
    mlflow: MlflowTracking, fresh_name: str, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's name cannot keep a result from being recorded, also where MLflow refuses more than is known."""
    monkeypatch.setattr("core.adapters.mlflow.tracking.stored_name", str)
    (artifacts / "a#b.txt").write_bytes(b"x")
    ref = mlflow.record(result_of(fresh_name, artifacts))
    assert len(mlflow.get_run(ref.run_id).artifacts) == 2


def test_no_run_stays_open_and_its_link_opens(mlflow: MlflowTracking, mlflow_url: str, fresh_name: str) -> None:
    """TRK-5 and JOB-7, asked of MLflow itself: the run is closed, tagged and dated."""
    result = result_of(fresh_name)
    ref = mlflow.record(result)
    run = httpx2.get(run_resource(mlflow_url, ref.run_id)).json()["run"]
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert run["info"]["status"] == "FINISHED"
    assert run["info"]["end_time"] - run["info"]["start_time"] == 9000
    assert tags["leadersboard.job_id"] == result.job.job_id
    assert tags["leadersboard.device"] == "cpu"


def test_a_server_that_is_away_is_unavailable(fresh_name: str) -> None:
    """No foreign error leaves the adapter."""
    away = MlflowTracking("http://127.0.0.1:1", timeout_seconds=1)
    for attempt in (
        away.check,
        lambda: away.tracked([RunRef(run_id="f" * 32, experiment_id="1")]),
        lambda: away.record(result_of(fresh_name)),
        lambda: away.artifact("f" * 32, "x").__enter__(),
    ):
        with pytest.raises(Unavailable):
            attempt()
    away.close()
