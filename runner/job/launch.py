"""Launches a run, or takes over one that another runner left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import structlog

from core.domain.benchmark import Benchmark, Scoring
from core.domain.errors import LeadersboardError, NotFound, RunLost, Unavailable
from core.domain.job import MAX_LOSSES, Job, Phase
from core.domain.limits import ResourceClass
from core.domain.submission import Submission
from core.domain.verdict import FailureReason, Verdict
from core.ports.sandbox import Sandbox, SandboxSpec
from runner.gpus import NoGpu
from runner.job.attempt import Attempt
from runner.job.provenance import note_launch
from runner.job.signals import Cancelled, NeverStarted
from runner.requirements.dependencies import verdict_of
from runner.requirements.installer import RequirementsFailed
from runner.trial_data import FewPictures, NoTrial, TrialData

log = structlog.get_logger(__name__)


class NoBenchmark(LeadersboardError):
    """Raised when a job's benchmark was taken off the site before its run was launched."""

    code = "no_benchmark"


WITHOUT_RUN = (NoGpu, NoBenchmark, NoTrial, RequirementsFailed, Cancelled)
"""What ends a job before anything of it has run."""


def verdict_without_run(error: Exception, attempt: Attempt) -> Verdict:
    """The verdict on a job of which nothing has run, for one of WITHOUT_RUN."""
    if isinstance(error, RequirementsFailed):
        return verdict_of(error, say=attempt.job_log.say, quote=attempt.job_log.quote)
    if isinstance(error, Cancelled):
        return Verdict(cancelled=True, message="Cancelled before it started.")
    return Verdict(reason=FailureReason.PLATFORM, message=str(error))


def launched(attempt: Attempt, submission: Submission) -> Sandbox:
    """The run under way: launched now, or as another runner left it.

    Raises one of WITHOUT_RUN when nothing shall run, NeverStarted, RunLost, and a fault of the platform.
    """
    if attempt.folder.went_with_the_machine:
        raise RunLost("The machine was started anew during this run.")
    return _taken_over(attempt, submission) if attempt.launched else _launched(attempt, submission)


def _taken_over(attempt: Attempt, submission: Submission) -> Sandbox:
    """Its container, or only the output that was being read.

    Raises NeverStarted when the earlier runner ended before the container had started, RunLost when the run is gone.
    """
    kind, _blank, gpu = (attempt.job.device or "").partition(" ")
    spec = attempt.sandbox_spec(submission, gpu if kind == "gpu" else None)
    sandbox = attempt.context.engine.adopt(spec, attempt.job_log)
    never_started = not attempt.folder.started and not attempt.job_log.printed_bytes
    if never_started and (sandbox is None or sandbox.state().interrupted):  # no container, or only its volume
        raise NeverStarted
    if sandbox is None:
        raise RunLost("The engine knows nothing of this run any more.")
    log.info("run taken over", job_id=attempt.job.job_id, attempt=attempt.job.attempt)
    return sandbox


def _launched(attempt: Attempt, submission: Submission) -> Sandbox:
    """Starts the container; its output is in the job's log from the first byte."""
    context, ledger = attempt.context, attempt.context.ports.job_status
    # the run's name first: of a run that the ledger does not know a sweep removes the installer
    attempt.lease.retrying(lambda: ledger.note(attempt.claim, sandbox=attempt.folder.claim))
    _data(attempt)  # before anything is installed for a benchmark that is gone
    prepared = context.dependencies.prepared(
        attempt.sandbox_spec(submission), attempt.folder, say=attempt.job_log.say, check=attempt.check
    )

    def waits(why: str) -> None:
        attempt.job_log.say_once(why)
        attempt.note(device="waiting for a GPU")

    with context.gpus.reserved(attempt.limits.gpus, check=attempt.check, say=waits) as gpu:
        device = f"gpu {gpu}" if gpu else "cpu"
        benchmark, data = _data(attempt)  # after the wait: of a trial a copy that nothing removes meanwhile
        weights = context.ports.weights.folder()
        bare = attempt.sandbox_spec(submission, gpu)
        spec = replace(bare, data=data, weights=weights, dependencies=prepared.dependencies)
        _write_config(attempt, benchmark.categories, device=device)
        note_launch(attempt, data, gpu=gpu)
        attempt.lease.retrying(lambda: ledger.note(attempt.claim, device=device))
        attempt.job_log.say_once(_first_line(attempt.job, attempt.limits, device))
        attempt.check()  # a job cancelled before this gets no container
        sandbox = _started(attempt, spec, benchmark.scoring)
    attempt.note(phase=Phase.RUNNING)
    return sandbox


def _started(attempt: Attempt, spec: SandboxSpec, scoring: Scoring) -> Sandbox:
    attempt.folder.agree(attempt.known.model_copy(update={"scoring": scoring}))
    attempt.folder.begin()
    try:
        sandbox = attempt.context.engine.launch(spec, attempt.job_log)
    except Unavailable as error:
        raise RunLost(str(error)) from error
    attempt.folder.start()
    return sandbox


def _data(attempt: Attempt) -> tuple[Benchmark, Path]:
    """The job's benchmark and its public data; of a trial with some of its categories, and a few pictures of these.

    Waits for a benchmark whose file is being rewritten. Raises NoBenchmark, NoTrial, OSError, and what `Attempt.check`
    raises.
    """
    name, benchmarks = attempt.job.benchmark, attempt.context.ports.benchmarks
    try:
        benchmark, data = attempt.awaited(lambda: (benchmarks.get(name), benchmarks.data_folder(name)))
    except NotFound as error:
        raise NoBenchmark(
            f"This site no longer has the benchmark {name!r}. It was not your submission's fault, and the job "
            "does not count towards your limit. Ask an admin, or submit for another benchmark."
        ) from error
    if not attempt.job.trial:
        return benchmark, data
    few = TrialData(job_root=attempt.context.job_root).of(benchmark, data)
    attempt.job_log.say_once(_trial_line(few, len(benchmark.categories), attempt.limits))
    return benchmark.model_copy(update={"categories": few.categories}), few.path


def _write_config(attempt: Attempt, categories: tuple[str, ...], *, device: str) -> None:
    """Writes `job.json`, which the run finds at /config."""
    content = {
        "job_id": attempt.job.job_id,
        "benchmark": {"name": attempt.job.benchmark, "categories": list(categories)},
        "overrides": dict(attempt.job.overrides),
        "device": device.partition(" ")[0],
        "resource_class": attempt.job.resource_class,
        **({"trial": True} if attempt.job.trial else {}),
    }
    (attempt.folder.config / "job.json").write_text(json.dumps(content, indent=2))


def _trial_line(few: FewPictures, categories: int, limits: ResourceClass) -> str:
    named = f" in {len(few.categories)} of {categories} categories ({', '.join(few.categories)})" if categories else ""
    return (
        f"Trial: {few.files} of {few.files_of_all} files{named}, at most {limits.timeout_seconds} s. "
        "Nothing of it is recorded."
    )


def _first_line(job: Job, limits: ResourceClass, device: str) -> str:
    """The first line in the log of a launch: attempt, limits, and why the job is launched again, if it is."""
    lost = f"; it has lost {job.losses} of at most {MAX_LOSSES} runners" if job.losses else ""
    again = f" Launched again because {job.again_because}{lost}." if job.again_because else ""
    bounds = (
        f"{limits.cpus:g} CPUs, {limits.memory_bytes // 1024**2} MiB, {limits.timeout_seconds} s, "
        f"output {limits.output_bytes // 1024**2} MiB"
    )
    return f"Attempt {job.attempt}: class {limits.name}, {device}. Limits: {bounds}.{again}"
