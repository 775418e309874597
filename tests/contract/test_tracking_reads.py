"""The port through which people read MLflow: one text for the twin in memory and the real adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from core.adapters.mlflow.reads import ANSWERS, FILES, MlflowReads
from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.errors import Unavailable
from core.domain.tracking_call import Shows, TrackingCall
from core.ports.tracking import TrackingPort
from core.ports.tracking_reads import TrackingReadsPort
from tests.contract.tracking.results import result_of
from tests.twins.tracking import MemoryTracking
from tests.twins.tracking_reads import MemoryTrackingReads

pytestmark = pytest.mark.contract

Parts = tuple[TrackingPort, TrackingReadsPort]


@pytest.fixture(params=["memory", "mlflow"])
def parts(request: pytest.FixtureRequest) -> Iterator[Parts]:
    if request.param == "memory":
        tracking = MemoryTracking()
        yield tracking, MemoryTrackingReads(tracking)
        return
    url = request.getfixturevalue("mlflow_url")
    with closing(MlflowTracking(url)) as real, closing(MlflowReads(url)) as reads:
        yield real, reads


def test_a_run_is_found_in_its_experiment_with_the_job_that_its_tag_names(parts: Parts, fresh_name: str) -> None:
    """And in no other experiment, nor once it is removed; unknown runs are left out."""
    tracking, reads = parts
    result = result_of(fresh_name)
    ref = tracking.record(result)
    found = reads.experiments([fresh_name])[fresh_name]
    experiment = found["experiment_id"]
    assert (experiment, found["name"], found["lifecycle_stage"]) == (ref.experiment_id, fresh_name, "active")
    assert reads.runs([ref.run_id, "f" * 32], [experiment]) == {ref.run_id: result.job.job_id}
    assert reads.runs([ref.run_id], ["0"]) == {}
    assert reads.runs([ref.run_id], []) == {}
    tracking.discard(ref.run_id, closed=True)
    assert reads.runs([ref.run_id], [experiment]) == {}


def test_an_answer_is_read_in_pieces(parts: Parts) -> None:
    _tracking, reads = parts
    with reads.read(TrackingCall(path="/ajax-api/3.0/mlflow/server-info")) as answer:
        assert (answer.status, answer.media_type) == (200, "application/json")
        assert b"".join(answer.pieces).startswith(b"{")


@pytest.mark.parametrize(("held", "asked"), [(Shows.FILE, Shows.DATA), (Shows.DATA, Shows.FILE)])
def test_slow_receivers_of_one_kind_hold_up_no_other(mlflow_url: str, held: Shows, asked: Shows) -> None:
    """All places for answers are taken by clients that read nothing; other calls are still answered."""
    most = FILES if held is Shows.FILE else ANSWERS
    with closing(MlflowReads(mlflow_url, timeout_seconds=5)) as reads, ExitStack() as stack:
        for _receiver in range(most):
            stack.enter_context(reads.read(TrackingCall(path="/version", shows=held)))
        with reads.read(TrackingCall(path="/version", shows=asked)) as answer:
            assert answer.status == 200
        assert reads.experiments(["no such board"]) == {}


def test_a_server_that_is_away_is_told() -> None:
    """For every question."""
    with closing(MlflowReads("http://127.0.0.1:1", timeout_seconds=0.5)) as reads:
        for question in (
            lambda: reads.experiments(["x"]),
            lambda: reads.runs(["f" * 32], ["1"]),
            lambda: reads.read(TrackingCall(path="/")).__enter__(),
        ):
            with pytest.raises(Unavailable):
                question()
