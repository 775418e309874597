"""Routes for admins: a recorded result is written back into a run that was changed in MLflow, or computed anew."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from core.usecases.compare_tracking import RestoreRun
from core.usecases.rescore import AskRescore
from gateway.dependencies import CurrentAdmin, PortsPart, TrackingWatchPart
from gateway.schemas.jobs import JobId
from gateway.schemas.results import RescoreView, TrackingView

router = APIRouter(prefix="/admin", tags=["admin"])


@router.post("/results/{job_id}/restore")
def restore(job_id: JobId, _admin: CurrentAdmin, ports: PortsPart, watch: TrackingWatchPart) -> TrackingView:
    """Write the recorded result back into the job's run in MLflow, as far as MLflow allows; answers how they compare.

    A deleted run is restored. Metrics are logged again, so that the latest value is the recorded one. MLflow cannot
    change a param or remove added metrics and params: these stay among the differences.
    """
    job = ports.job_status.get(job_id)
    usecase = RestoreRun(job_status=ports.job_status, results=ports.results, tracking=ports.tracking)
    stands = usecase(job.job_id)
    watch.forget(job.benchmark)
    return TrackingView.model_validate(stands)


@router.post("/results/{job_id}/rescore", status_code=HTTPStatus.ACCEPTED)
def rescore(job_id: JobId, _admin: CurrentAdmin, ports: PortsPart) -> RescoreView:
    """Have the score of an ended job computed anew from its predictions, e.g. after labels were corrected.

    A runner does it within seconds; boards show it within a minute. The result then has both values: `metrics` and
    `earlier`. If it cannot be done the result stays, and `GET /admin/dead-letters` says why (step `rescore`).
    """
    job = ports.job_status.get(job_id)
    AskRescore(job_status=ports.job_status, results=ports.results, benchmarks=ports.benchmarks)(job.job_id)
    return RescoreView(job_id=job.job_id)
