"""Forecasts for waiting jobs: whether a runner takes the job, and when. Reads Redis once in a few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from core.domain.errors import Unavailable
from core.domain.estimate import Estimate, estimate
from core.domain.job import Job, JobState, Phase
from core.domain.runners import PROBING, RunnerReport, RunnerState, SeenRunner
from core.ports.job_status import JobStatusPort
from core.ports.runners import RunnersPort
from core.usecases.jobs import JobStanding

FRESH_SECONDS = 2.0
MEASURED_FRESH_SECONDS = 15.0
MEASURED_RUNS = 200
"""Run times are estimated from the jobs of a class among so many completed last."""
NOBODY = "No runner is ready for class {name} at the moment. The job waits and starts by itself when one is."

UNSAFE = (
    "No runner takes jobs of class {name} at the moment: the platform's own check found that running them would not be "
    "safe. Its admins see why. The job waits and starts by itself when that is mended."
)

Found = TypeVar("Found")


@dataclass(kw_only=True)
class QueueForecast:
    """Lives as long as the app. Without Redis it forecasts nothing, so that a status never fails because of it."""

    job_status: JobStatusPort
    runners: RunnersPort
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, tuple[float, object]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, standing: JobStanding) -> tuple[str | None, Estimate | None]:
        """A sentence when no runner takes this waiting job, else an estimate; (None, None) for other jobs."""
        if standing.job.state is not JobState.PENDING or standing.queue_position is None:
            return None, None
        name = standing.job.resource_class
        try:
            seats = sum(runner.is_ready_for(name) for runner in self._runners())
            if not seats:
                return _why_nobody(self._runners(), name), None
            running = sum(_takes_a_seat(job, name) for job in self._jobs(JobState.RUNNING, FRESH_SECONDS))
            seconds = self._measured(name, trial=standing.job.trial)
        except Unavailable:
            return None, None
        position = standing.queue_position
        return None, estimate(position=position, running=running, seats=seats, run_seconds=seconds)

    def ready_runners(self) -> int:
        """How many runners take jobs of any class. Raises Unavailable."""
        return sum(runner.is_ready_for() for runner in self._runners())

    def _runners(self) -> Sequence[SeenRunner]:
        return self._fresh("runners", FRESH_SECONDS, self.runners.runners)

    def _measured(self, resource_class: str, *, trial: bool) -> Sequence[float]:
        """Trials say nothing about jobs, nor jobs about trials."""
        jobs = self._jobs(JobState.COMPLETED, MEASURED_FRESH_SECONDS)
        seconds = [_run_seconds(job) for job in jobs if (job.resource_class, job.trial) == (resource_class, trial)]
        return [known for known in seconds if known is not None]

    def _jobs(self, state: JobState, seconds: float) -> Sequence[Job]:
        return self._fresh(state, seconds, lambda: self.job_status.list_jobs(state=state, limit=MEASURED_RUNS).jobs)

    def _fresh(self, name: str, seconds: float, ask: Callable[[], Found]) -> Found:
        with self._lock:
            at, found = self._kept.get(name, (float("-inf"), None))
            if self.clock() - at >= seconds:
                found = ask()
                self._kept[name] = (self.clock(), found)
        return found  # type: ignore[return-value]


def _why_nobody(seen: Sequence[SeenRunner], name: str) -> str:
    """The notice in general terms: only admins see the reason, which would help an attacker."""
    living = [one.report for one in seen if not one.is_silent and name in {item.name for item in one.report.classes}]
    refused = bool(living) and all(_is_unsafe(report) for report in living)
    return (UNSAFE if refused else NOBODY).format(name=name)


def _is_unsafe(report: RunnerReport) -> bool:
    return report.state is RunnerState.REFUSED and report.reason != PROBING


def _takes_a_seat(job: Job, resource_class: str) -> bool:
    """Whether a running job occupies a runner of this class: in the recording phase its run has ended."""
    return job.resource_class == resource_class and job.phase is not Phase.RECORDING


def _run_seconds(job: Job) -> float | None:
    """Seconds of the run alone, since before its end a job may also wait for the tracking server.

    None for a job with several attempts, whose times say nothing about the next job.
    """
    if job.attempt > 1 or not job.finished_at or not job.started_at:
        return None
    return job.peaks.get("wall_seconds", (job.finished_at - job.started_at).total_seconds())
