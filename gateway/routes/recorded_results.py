"""For admins: writing a recorded result back into a run that was changed in MLflow."""

from __future__ import annotations

from fastapi import APIRouter, Request

from core.usecases.compare_tracking import RestoreRun
from gateway.auth.authenticator import CurrentAdmin
from gateway.dependencies import PortsPart
from gateway.schemas.jobs import JobId
from gateway.schemas.results import TrackingView

router = APIRouter(prefix="/admin", tags=["admin"])


@router.post("/results/{job_id}/restore")
def restore(job_id: JobId, request: Request, _admin: CurrentAdmin, ports: PortsPart) -> TrackingView:
    """Write the recorded result back into the job's run in MLflow, as far as MLflow allows; how the run stands then.

    A deleted run comes back. Figures are logged once more, so that the latest value is the recorded one; a param with
    another value, and figures and params that were added, MLflow never gives up: they stay among the differences.
    """
    job = ports.job_status.get(job_id)
    usecase = RestoreRun(job_status=ports.job_status, results=ports.results, tracking=ports.tracking)
    stands = usecase(job.job_id)
    request.app.state.tracking_watch.forget(job.benchmark)
    return TrackingView.model_validate(stands)
