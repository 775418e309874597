"""The arguments of the ledger's script for posting a job, and its refusals as errors."""

from __future__ import annotations

import json

from core.domain.errors import LimitReached
from core.domain.job import JobRequest
from core.domain.limits import Allowance, UserLimits

TRYING_SECONDS = 20


def asked(request: JobRequest, limits: UserLimits) -> list[str | int]:
    """The arguments of `admit.lua`."""
    return [
        request.job_id,
        request.user_id,
        request.resource_class,
        request.submission_id,
        request.benchmark,
        json.dumps(dict(request.overrides)),
        limits.jobs_per_hour,
        limits.concurrent_running,
        int(limits.queue_when_over),
        request.fingerprint,
        request.rerun_of or "",
        int(request.trial),
        limits.trials_per_hour,
        limits.trials_at_once,
    ]


def refused(which: str, limits: UserLimits, left: Allowance, *, trial: bool) -> LimitReached:
    if which == "trying":
        return LimitReached(
            "Your last trial has not ended yet, and one runs at a time. Wait for its end, or cancel it, and try again.",
            retry_after_seconds=TRYING_SECONDS,
            allowance=left,
        )
    if which == "hourly":
        minutes = max(1, round(left.renews_in_seconds / 60))
        posted = f"tried {limits.trials_per_hour} runs" if trial else f"posted {limits.jobs_per_hour} jobs"
        after = " A job needs no trial before it." if trial else ""
        return LimitReached(
            f"You have {posted} in the last hour, which is the limit. The next place is free in {minutes} min.{after}",
            retry_after_seconds=max(1, left.renews_in_seconds),
            allowance=left,
        )
    return LimitReached(
        f"{limits.concurrent_running} of your jobs are running, which is the limit. Post again when one has ended.",
        retry_after_seconds=30,
        allowance=left,
    )
