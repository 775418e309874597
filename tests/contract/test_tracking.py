"""The tracking server's contract, one text for the twin in memory and for a real MLflow."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.errors import LeaseLost, NotFound, Unavailable
from core.domain.job import Job, JobState, Phase
from core.domain.links import run_resource
from core.domain.metrics import RunMetrics
from core.domain.sealed_result import SealedFile
from core.domain.tracking_state import TrackingState, compared
from core.ports.tracking import RUN_TAG, SITE_TAG, Result, RunRef, TrackingPort
from tests.twins.tracking import MemoryTracking

pytestmark = pytest.mark.contract

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def mlflow(mlflow_url: str) -> Iterator[MlflowTracking]:
    with closing(MlflowTracking(mlflow_url)) as tracking:
        yield tracking


@pytest.fixture(params=["memory", "mlflow"])
def tracking(request: pytest.FixtureRequest) -> TrackingPort:
    return MemoryTracking() if request.param == "memory" else request.getfixturevalue("mlflow")


def result_of(benchmark: str, folder: Path | None = None, *, user: str = "ann", auc: float = 0.75) -> Result:
    job = Job(
        job_id=secrets.token_hex(16), submission_id="5" * 32, user_id=user, resource_class="small", benchmark=benchmark,
        overrides={}, state=JobState.RUNNING, phase=Phase.RECORDING, attempt=1, created_at=NOW, updated_at=NOW,
        started_at=NOW, finished_at=NOW + timedelta(seconds=9),
    )  # fmt: skip
    metrics = RunMetrics(
        params={"method": "PaDiM", "epochs": "1"},
        metrics={"image_auc": auc, "weave/pixel auc": 0.5},
        performance={"training_time_seconds": 3.5},
    )
    return Result(
        job=job, metrics=metrics, measured={"wall_seconds": 8.5}, tags={"leadersboard.device": "cpu"}, artifacts=folder
    )


def recorded(tracking: TrackingPort, benchmark: str) -> Mapping[str, str]:
    """The closed runs of a benchmark, with their jobs."""
    return tracking.closed_runs(benchmark, since=NOW - timedelta(days=1))


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    (tmp_path / "curves").mkdir()
    (tmp_path / "curves" / "roc (1), é.png").write_bytes(b"png")
    (tmp_path / "notes.txt").write_bytes(b"")
    return tmp_path


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


@pytest.mark.parametrize("was_noted", [True, False])
def test_a_run_that_was_begun_is_begun_anew(mlflow: MlflowTracking, fresh_name: str, *, was_noted: bool) -> None:
    """TRK-5: after a runner died between two calls, the job has one run, closed, with the later attempt's params."""
    result = result_of(fresh_name)
    begun = mlflow._create_run(mlflow._experiment(fresh_name), result)
    mlflow._log(begun, result)
    later = replace(result, metrics=replace(result.metrics, params={"method": "later"}))
    ref = mlflow.record(later, begun=begun.run_id if was_noted else None)
    assert recorded(mlflow, fresh_name) == {ref.run_id: result.job.job_id}
    assert mlflow.get_run(ref.run_id).params["method"] == "later"
    assert mlflow.open_runs(fresh_name) == {}


@pytest.mark.parametrize("last_call", [1, 2, "closing"])
def test_a_record_that_is_given_up_leaves_no_run(
    mlflow: MlflowTracking, fresh_name: str, artifacts: Path, last_call: int | str
) -> None:
    """JOB-8: a cancel before it begins, in the middle of the files, or right before its end takes the run along."""
    calls: list[str] = []

    def asked(what: str) -> None:
        calls.append(what)
        if last_call in {what, len(calls)}:
            raise KeyboardInterrupt

    result = result_of(fresh_name, artifacts)
    with pytest.raises(KeyboardInterrupt):
        mlflow.record(result, keep_going=lambda: asked("going on"), seal=lambda: asked("closing"))
    assert mlflow._runs_of(mlflow._experiment(fresh_name), result) == []


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


def test_no_tag_makes_a_recorder_remove_another_jobs_run(mlflow: MlflowTracking, fresh_name: str) -> None:
    """DOR-3: another job's result that was opened again and got this job's tag stays."""
    others, result = result_of(fresh_name), result_of(fresh_name)
    kept = mlflow.record(others)
    mlflow._post("/runs/update", {"run_id": kept.run_id, "status": "RUNNING"})
    tag = {"run_id": kept.run_id, "key": "leadersboard.job_id", "value": result.job.job_id}
    mlflow._post("/runs/set-tag", tag)
    mlflow.record(result, others=lambda run_ids: [run_id for run_id in run_ids if run_id == kept.run_id])
    assert not mlflow.get_run(kept.run_id).state.is_deleted


def test_a_run_that_is_closed_while_it_is_about_to_go_is_the_result(mlflow: MlflowTracking, fresh_name: str) -> None:
    """TRK-5: its recorder was slow, not dead; it stays, and no second one is made."""
    item = result_of(fresh_name)
    slow = mlflow._create_run(mlflow._experiment(fresh_name), item)
    mlflow._log(slow, item)
    closed: list[str] = []

    def close_it_now() -> None:
        if not closed:
            closed.append(slow.run_id)
            mlflow._close_run(slow, item)

    assert mlflow.record(item, begun=slow.run_id, keep_going=close_it_now).run_id == slow.run_id
    assert list(recorded(mlflow, fresh_name)) == [slow.run_id]


def test_a_result_that_is_none_can_be_taken_back(tracking: TrackingPort, fresh_name: str) -> None:
    """TRK-5: results of late are told with their jobs; only by name one is removed, whatever its state."""
    kept, wrong = result_of(fresh_name), result_of(fresh_name)
    refs = [tracking.record(result) for result in (kept, wrong)]
    since = NOW - timedelta(minutes=1)
    assert tracking.closed_runs(fresh_name, since=NOW + timedelta(minutes=1)) == {}
    assert tracking.closed_runs(f"{fresh_name}-other", since=since) == {}
    expected = dict(zip([ref.run_id for ref in refs], [kept.job.job_id, wrong.job.job_id], strict=True))
    assert tracking.closed_runs(fresh_name, since=since) == expected
    for closed in (False, True):
        tracking.discard(refs[1].run_id, closed=closed)
        assert len(recorded(tracking, fresh_name)) == 2 - closed
    assert list(recorded(tracking, fresh_name)) == [refs[0].run_id]


def test_a_discarded_run_takes_its_files_along(
    mlflow: MlflowTracking, mlflow_url: str, fresh_name: str, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUN-7: retention does not see a deleted run. Who is killed between the two leaves it to be found again."""
    result = result_of(fresh_name, artifacts)
    begun = mlflow._create_run(mlflow._experiment(fresh_name), result)
    mlflow._upload(begun, artifacts, lambda: None)

    def files() -> int:
        query = {"path": f"{begun.experiment_id}/{begun.run_id}/artifacts"}
        answer = httpx2.get(f"{mlflow_url}/api/2.0/mlflow-artifacts/artifacts", params=query)
        return len(answer.json().get("files", []))

    def killed(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    assert files() == 2
    with monkeypatch.context() as patch:
        patch.setattr(mlflow._http, "post", killed)
        with pytest.raises(KeyboardInterrupt):
            mlflow.discard(begun.run_id)
    assert list(mlflow.open_runs(fresh_name)) == [begun.run_id]
    mlflow.discard(begun.run_id)
    assert (files(), mlflow.open_runs(fresh_name)) == (0, {})


def test_another_sites_runs_are_left_alone(mlflow: MlflowTracking, fresh_name: str) -> None:
    """TRK-5: two ledgers may share a server, and the same request has the same id in both; old runs count as ours."""
    result = result_of(fresh_name)
    experiment = mlflow._experiment(fresh_name)
    theirs, ours = (replace(result, tags={SITE_TAG: site}) for site in ("theirs", "ours"))
    open_there = mlflow._create_run(experiment, theirs)
    untold = mlflow._create_run(experiment, result_of(fresh_name))
    assert set(mlflow.open_runs(fresh_name, site="ours")) == {untold.run_id}
    ref = mlflow.record(ours)
    assert set(mlflow.open_runs(fresh_name, site="theirs")) == {untold.run_id, open_there.run_id}
    since = NOW - timedelta(minutes=1)
    assert (mlflow.closed_runs(fresh_name, since=since, site="theirs")) == {}
    assert set(mlflow.closed_runs(fresh_name, since=since, site="ours")) == {ref.run_id}


def test_runs_that_were_not_closed_are_found_and_discarded(mlflow: MlflowTracking, fresh_name: str) -> None:
    """TRK-5: with the job that each is of; one that was closed since it was listed stays, and is on the board."""
    result = result_of(fresh_name)
    assert mlflow.open_runs(fresh_name) == {}
    closed = mlflow.record(result_of(fresh_name, user="bob"))
    begun = mlflow._create_run(closed.experiment_id, result)
    assert mlflow.open_runs(fresh_name) == {begun.run_id: result.job.job_id}
    for _time in range(2):
        mlflow.discard(begun.run_id)
    mlflow.discard(closed.run_id)
    assert mlflow.open_runs(fresh_name) == {}
    assert list(recorded(mlflow, fresh_name)) == [closed.run_id]


def test_a_recorder_that_lost_its_job_leaves_its_successors_run_alone(mlflow: MlflowTracking, fresh_name: str) -> None:
    """TRK-5: the search for an earlier run may take longer than a lease; what it finds may be another's by then."""
    result = result_of(fresh_name)
    successors = mlflow._create_run(mlflow._experiment(fresh_name), result)

    def lost() -> None:
        raise LeaseLost("The lease ran out.")

    with pytest.raises(LeaseLost):
        mlflow.record(result, keep_going=lost)
    assert mlflow.open_runs(fresh_name) == {successors.run_id: result.job.job_id}


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
    mlflow: MlflowTracking, fresh_name: str, artifacts: Path
) -> None:
    """A file's hostile name cannot keep a result from being recorded."""
    (artifacts / "a#b.txt").write_bytes(b"x")
    ref = mlflow.record(result_of(fresh_name, artifacts))
    assert len(mlflow.get_run(ref.run_id).artifacts) == 2


def test_an_unknown_run_is_not_found(tracking: TrackingPort) -> None:
    """The board may hold a link to a run that an admin has deleted."""
    with pytest.raises(NotFound):
        tracking.get_run("f" * 32)


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


@pytest.mark.parametrize("auc", [0.4, 0.9])
@pytest.mark.parametrize("noted", [False, True])
def test_a_job_that_ran_again_after_a_restore_has_its_own_run(
    tracking: TrackingPort, fresh_name: str, auc: float, *, noted: bool
) -> None:
    """An older ledger was restored, and the same request came again: the old run is neither its answer nor kept."""
    first = result_of(fresh_name, auc=0.9)
    old = tracking.record(replace(first, tags={RUN_TAG: "11111111"}))
    again = replace(first, metrics=result_of(fresh_name, auc=auc).metrics, tags={RUN_TAG: "22222222"})
    new = tracking.record(again, begun=old.run_id if noted else None)
    assert new.run_id != old.run_id
    assert tracking.get_run(new.run_id).metrics["image_auc"] == auc
    assert tracking.record(again, begun=new.run_id).run_id == new.run_id
    assert list(recorded(tracking, fresh_name)) == [new.run_id]


@pytest.mark.parametrize("days", [1, -1])
def test_a_run_without_a_name_is_the_jobs_if_it_ended_after_it_was_posted(
    mlflow: MlflowTracking, fresh_name: str, days: int
) -> None:
    """A version that gave no names recorded it: before an upgrade, or before an older ledger was restored."""
    result = result_of(fresh_name)
    old = mlflow.record(result)
    posted = replace(result.job, created_at=NOW - timedelta(days=days))
    ref = mlflow.record(replace(result, job=posted, tags={RUN_TAG: "22222222"}), begun=old.run_id)
    assert (ref.run_id == old.run_id) is (days > 0)
