"""What a job has printed: a piece of its log now, or all of it as it comes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from core.usecases.jobs import ReadJobLog
from gateway.auth import CurrentUser
from gateway.parts import PortsPart
from gateway.schemas import JobId, LogView

router = APIRouter()


@router.get("/{job_id}/logs")
def logs(
    job_id: JobId,
    user: CurrentUser,
    ports: PortsPart,
    tail: Annotated[int, Query(ge=1, le=1000)] = 1000,
    offset: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> LogView:
    """The last lines of the log, or with `offset` only what came after that byte."""
    usecase = ReadJobLog(job_status=ports.job_status, storage=ports.storage)
    found = usecase(user, job_id, tail_lines=tail, offset=offset)
    return LogView(job_id=job_id, logs=found.text, next_offset=found.next_offset)
