"""Seals results of jobs that completed before there were seals: by one process at a time, seldom once it is done."""

from __future__ import annotations

import structlog

from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.ports.runners import RunnersPort
from core.ports.tracking import TrackingPort
from core.usecases.seal_old_results import SealOldResults

TURN = "old results"
AT_IT_SECONDS = 60.0
"""After that another process goes on where one died, or met a tracking server that was away."""
AGAIN_SECONDS = 600.0
"""A runner of an older version may still complete jobs without sealing their results."""

log = structlog.get_logger(__name__)


def seal_old_results(
    job_status: JobStatusPort, results: ResultsPort, tracking: TrackingPort, runners: RunnersPort
) -> None:
    """One round over all of them, when it is due. Raises Unavailable; the next round goes on where this one ended."""
    if not runners.turn(TURN, AT_IT_SECONDS):
        return
    tracking.check()

    def kept() -> bool:
        runners.keep_turn(TURN, AT_IT_SECONDS)
        return True

    usecase = SealOldResults(job_status=job_status, results=results, tracking=tracking)
    done, hopeless = usecase(kept)
    runners.keep_turn(TURN, AGAIN_SECONDS)
    if done or hopeless:
        log.info("old results sealed", done=done, without_source=hopeless)
