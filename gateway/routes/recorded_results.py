"""Route for admins: writes a recorded result back into a run that was changed in MLflow."""

from __future__ import annotations

from fastapi import APIRouter

from core.usecases.compare_tracking import RestoreRun
from gateway.dependencies import CurrentAdmin, PortsPart, TrackingWatchPart
from gateway.schemas.jobs import JobId
from gateway.schemas.results import TrackingView

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
