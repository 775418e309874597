"""Uploads, results and boards as the use cases answer them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.domain.board_rows import Entries
from core.domain.errors import InvalidInput, NotFinished
from core.domain.metrics import RunMetrics
from core.domain.tracking_state import TrackingState
from core.ports.tracking import Result
from core.usecases.create_submission import CreateSubmission
from core.usecases.get_job_results import GetJobResults
from core.usecases.jobs import CancelJob
from core.usecases.show_leaderboard import Board, BoardQuery, Ranked, ShowLeaderboard
from tests.builders import MAIN, job, later, request, upload
from tests.unit.core.usecase_site import ADA, ROOT, Site

pytestmark = pytest.mark.unit


def test_an_upload_is_checked_before_it_is_stored(site: Site, tmp_path: Path) -> None:
    """SUB-2: bad names never reach the storage."""
    before = sorted((tmp_path / "submissions").iterdir())
    with pytest.raises(InvalidInput):
        CreateSubmission(storage=site.ports.storage)(upload({"x.exe": b"", "main.py": MAIN}))
    assert sorted((tmp_path / "submissions").iterdir()) == before


def test_results_link_to_the_run(site: Site) -> None:
    """JOB-7: ids, figures and links on the public address."""
    mine = site.finish(0.75)
    usecase = getting(site)
    found = usecase(ADA, mine)
    assert (
        found.mlflow_ui_url
        == f"http://m/#/experiments/{found.experiment_id}/runs/{found.run_id}?workflowType=machine_learning"
    )
    assert found.mlflow_api_url.endswith(f"run_id={found.run_id}")
    assert found.metrics["image_auc"] == 0.75
    assert found.params == {"method": "padim"}


def test_results_wait_for_the_end(site: Site) -> None:
    """Before the end NotFinished; a job that ended without a run has empty results."""
    usecase = getting(site)
    pending = site.enqueue().job.job_id
    with pytest.raises(NotFinished):
        usecase(ADA, pending)
    CancelJob(job_status=site.ports.job_status)(ADA, pending)
    site.ports.tracking.away = True
    assert usecase(ADA, pending).run_id is None


def test_results_do_not_wait_for_the_tracking_server(site: Site) -> None:
    """DOR-3: figures and params come from the ledger; only the comparison and the files are not available."""
    done = site.finish(0.75)
    site.ports.tracking.away = True
    found = getting(site)(ADA, done)
    assert (found.metrics["image_auc"], found.params) == (0.75, {"method": "padim"})
    assert (found.tracking.state, found.artifacts_available) == (TrackingState.UNKNOWN, False)


def getting(site: Site) -> GetJobResults:
    ports = site.ports
    return GetJobResults(
        job_status=ports.job_status,
        results=ports.results,
        tracking=ports.tracking,
        mlflow_url="http://m",
        trial_files=ports.trial_files,
    )


def shown(site: Site, **changes: Any) -> Board:
    """The board of the synthetic benchmark as it is now."""
    benchmark = site.ports.benchmarks.get("synthetic")
    entries = [one.entry for one in site.ports.results.of_benchmark("synthetic").values()]
    page = {"limit": 2, "offset": changes.pop("offset", 1)}
    query = BoardQuery(**({"entries": Entries.ALL} | changes))
    return ShowLeaderboard(benchmark=benchmark, ranked=Ranked(entries=entries))(query, **page)


def test_a_board_pages_through_its_rows(site: Site) -> None:
    """SCO-4: best per user or all, with the number of rows in all."""
    for number, value in enumerate([0.5, 0.9, 0.7]):
        site.finish(value, n=number)
    site.finish(0.8, ROOT)
    page = shown(site)
    assert ([row.value for row in page.standings], page.total) == ([0.8, 0.7], 4)
    assert [row.rank for row in page.standings] == [2, 3]
    best = shown(site, entries=Entries.BEST, offset=0)
    assert [(row.entry.user_id, row.value) for row in best.standings] == [("ada", 0.9), ("root", 0.8)]
    assert shown(site, offset=99).standings == ()
    slow = shown(site, metric="inference_time_ms", offset=0)
    assert [row.rank for row in slow.standings] == [None, None]


def test_a_board_of_an_unknown_metric(site: Site) -> None:
    """InvalidInput with the names that the benchmark declares."""
    with pytest.raises(InvalidInput, match="image_auc, inference_time_ms"):
        shown(site, metric="loss")


def test_our_own_figures_cannot_be_overwritten_by_a_report(site: Site) -> None:
    """TRK-2: what a submission reports under `performance` never replaces what we measured ourselves."""
    metrics = RunMetrics(params={}, metrics={}, performance={"wall_seconds": 0.001, "inference_time_ms": 5.0})
    done = job(job_id=request().job_id, finished_at=later(1))
    ref = site.ports.tracking.record(Result(job=done, metrics=metrics, measured={"wall_seconds": 99.0}))
    recorded = site.ports.tracking.get_run(ref.run_id).metrics
    assert recorded == {"system/wall_seconds": 99.0, "system/inference_time_ms": 5.0}
