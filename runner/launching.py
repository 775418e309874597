"""What a run is launched with: its submission, its spec, what it is told of its job, and its limits in words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from core.domain.errors import NotFound
from core.domain.job import Job
from core.domain.limits import ResourceClass
from core.domain.submission import Submission
from core.ports.sandbox import SandboxSpec
from runner.run_folder import RunFolder
from runner.workbench import Workbench

ASIDE_SECONDS = 30.0
LOOK_SECONDS = 0.5


def submission_of(parts: Workbench, job: Job, keep_waiting: Callable[[], None]) -> Submission:
    """What is run. One that retention has put aside comes back when that finds this job.

    `keep_waiting` ends the wait by raising. Raises NotFound.
    """
    until = time.monotonic() + ASIDE_SECONDS
    while True:
        try:
            return parts.ports.storage.get_submission(job.submission_id)
        except NotFound:
            if time.monotonic() > until:
                raise
        keep_waiting()
        parts.stopping.wait(LOOK_SECONDS)


def spec_of(parts: Workbench, job: Job, folder: RunFolder, submission: Submission, *, gpu: str | None) -> SandboxSpec:
    """The same for whoever launches the run and for whoever takes it over."""
    ports = parts.ports
    return SandboxSpec(
        site=parts.site,
        job_id=job.job_id,
        attempt=job.attempt,
        claim=folder.claim,
        user_id=job.user_id,
        entrypoint=submission.entrypoint,
        config_file=submission.config_file,
        limits=parts.resource_classes[job.resource_class],
        image=parts.image,
        submission=ports.storage.submission_files(submission.submission_id),
        config=folder.config,
        data=ports.benchmarks.data_folder(job.benchmark),
        gpu=gpu,
    )


def write_config(parts: Workbench, job: Job, folder: RunFolder, *, device: str) -> None:
    """`job.json`, which the run finds at /config."""
    benchmark = parts.ports.benchmarks.get(job.benchmark)
    content = {
        "job_id": job.job_id,
        "benchmark": {"name": benchmark.name, "categories": list(benchmark.categories)},
        "overrides": dict(job.overrides),
        "device": device.partition(" ")[0],
        "resource_class": job.resource_class,
    }
    (folder.config / "job.json").write_text(json.dumps(content, indent=2))


def bounds(limits: ResourceClass) -> str:
    """For the first line of the log."""
    return (
        f"Limits: {limits.cpus:g} CPUs, {limits.memory_bytes // 1024**2} MiB, {limits.timeout_seconds} s, "
        f"output {limits.output_bytes // 1024**2} MiB."
    )
