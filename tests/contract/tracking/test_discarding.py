"""The tracking port's contract for runs that are begun, given up or taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.errors import LeaseLost
from core.ports.tracking import RUN_TAG, SITE_TAG, TrackingPort
from tests.contract.tracking.results import NOW, recorded, result_of

pytestmark = pytest.mark.contract


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
