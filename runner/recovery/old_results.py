"""Seals results of jobs that completed before there were seals: by one process at a time, seldom once all are done."""

from __future__ import annotations

import structlog

from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.ports.runners import RunnersPort
from core.ports.tracking import TrackingPort
from core.usecases.seal_old_results import SealOldResults

TURN = "old results"
AT_IT_SECONDS = 60.0
"""After this time another process goes on where one died, or found the tracking server away."""
AGAIN_SECONDS = 600.0
"""A runner of an older version may still complete jobs without sealing their results."""

log = structlog.get_logger(__name__)


def seal_old_results(
    job_status: JobStatusPort, results: ResultsPort, tracking: TrackingPort, runners: RunnersPort
) -> None:
    """Seals all old results if it is this process's turn. After Unavailable the next turn goes on where this ended."""
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
