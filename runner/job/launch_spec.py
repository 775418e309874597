"""Builds what a run is launched with: its submission, its spec, its `job.json`, and its limits in words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.domain.errors import LeadersboardError, NotFound, RunLost, Unavailable
from core.domain.job import MAX_LOSSES, Job
from core.domain.limits import ResourceClass
from core.domain.submission import Submission
from core.ports.sandbox import SandboxSpec
from runner.job.context import Workbench
from runner.launch_settings import LaunchSettings
from runner.run_folder import RunFolder

ASIDE_SECONDS = 30.0
LOOK_SECONDS = 0.5

FoundT = TypeVar("FoundT")


class NoBenchmark(LeadersboardError):
    """Raised when a job's benchmark was taken off the site before its run was launched."""

    code = "no_benchmark"


def submission_of(parts: Workbench, job: Job, check: Callable[[], None]) -> Submission:
    """The submission to run. Waits for one that retention put aside: it comes back when retention finds this job.

    `check` ends the wait by raising. Raises NotFound.
    """
    return _awaited(lambda: parts.ports.storage.get_submission(job.submission_id), parts, check)


def data_of(parts: Workbench, job: Job, check: Callable[[], None]) -> Path:
    """The public data of the job's benchmark. Waits for a benchmark whose file is being rewritten.

    `check` ends the wait by raising. Raises NoBenchmark.
    """
    try:
        return _awaited(lambda: parts.ports.benchmarks.data_folder(job.benchmark), parts, check)
    except NotFound as error:
        raise NoBenchmark(
            f"This site no longer has the benchmark {job.benchmark!r}. It was not your submission's fault, and the job "
            "does not count towards your limit. Ask an admin, or submit for another benchmark."
        ) from error


def _awaited(read: Callable[[], FoundT], parts: Workbench, check: Callable[[], None]) -> FoundT:
    until = time.monotonic() + ASIDE_SECONDS
    while True:
        try:
            return read()
        except NotFound:
            if time.monotonic() > until:
                raise
        check()
        parts.stopping.wait(LOOK_SECONDS)


def spec_of(
    parts: Workbench,
    job: Job,
    folder: RunFolder,
    submission: Submission,
    *,
    settings: LaunchSettings,
    gpu: str | None,
    data: Path | None = None,
) -> SandboxSpec:
    """The same for the runner that launches the run and for one that takes it over; the latter needs no data folder."""
    return SandboxSpec(
        site=parts.site,
        job_id=job.job_id,
        attempt=job.attempt,
        claim=folder.claim,
        user_id=job.user_id,
        entrypoint=submission.entrypoint,
        config_file=submission.config_file,
        limits=settings.limits,
        image=settings.image,
        submission=parts.ports.storage.submission_files(submission.submission_id),
        config=folder.config,
        data=data,
        gpu=gpu,
    )


def write_config(parts: Workbench, job: Job, folder: RunFolder, *, device: str) -> None:
    """Writes `job.json`, which the run finds at /config."""
    benchmark = parts.ports.benchmarks.get(job.benchmark)
    content = {
        "job_id": job.job_id,
        "benchmark": {"name": benchmark.name, "categories": list(benchmark.categories)},
        "overrides": dict(job.overrides),
        "device": device.partition(" ")[0],
        "resource_class": job.resource_class,
    }
    (folder.config / "job.json").write_text(json.dumps(content, indent=2))


def first_line(job: Job, limits: ResourceClass, device: str) -> str:
    """The first line in the log of a launch: attempt, limits, and why the job is launched again, if it is."""
    lost = f"; it has lost {job.losses} of at most {MAX_LOSSES} runners" if job.losses else ""
    again = f" Launched again because {job.again_because}{lost}." if job.again_because else ""
    bounds = (
        f"{limits.cpus:g} CPUs, {limits.memory_bytes // 1024**2} MiB, {limits.timeout_seconds} s, "
        f"output {limits.output_bytes // 1024**2} MiB"
    )
    return f"Attempt {job.attempt}: class {limits.name}, {device}. Limits: {bounds}.{again}"


def why_again(error: Exception) -> str:
    """Why a failed attempt is followed by another one, in words that a job's log may show."""
    if isinstance(error, RunLost):
        return f"the engine lost its run ({str(error).rstrip('.')})"
    if isinstance(error, Unavailable):
        return f"{error.part[:1].lower()}{error.part[1:]} did not answer as it should"
    if isinstance(error, OSError):
        return f"a disk of the platform did not work ({error.strerror})"
    return "a part of the platform failed"
