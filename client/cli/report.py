"""Jobs, results, boards and benchmarks as lines of text."""

from collections.abc import Iterable

from client.api.boards import Benchmark, BenchmarkCheck, BenchmarkCheckList, WeightsList
from client.api.models import Job, JobState, Results, SubmissionSummary, Tracking
from client.cli.rerun_lines import rerun_lines
from client.cli.terminal import faint, one_line, state_word, strong, table
from client.wording import ago, between, duration, number, plain, queue_place, size


def job_lines(job: Job) -> list[str]:
    """All lines about a job."""
    facts = {
        "job": job.job_id,
        "submission": job.submission_id,
        "user": job.user_id,
        "benchmark": job.benchmark,
        "class": job.resource_class,
        "device": job.device,
        "submitted": ago(job.created_at),
        "took": _took(job),
        "attempt": str(job.attempt or 1),
        "kind": "trial: nothing is recorded" if job.trial else None,
    }
    lines = [f"{faint(name.ljust(11))}{one_line(value)}" for name, value in facts.items() if value]
    return [f"{faint('state'.ljust(11))}{change_line(job)}", *lines, *outlook_lines(job), *ending_lines(job)]


def outlook_lines(job: Job) -> list[str]:
    """What is known about a waiting job's start."""
    if job.status is not JobState.PENDING:
        return []
    lines = [one_line(job.notice)] if job.notice else []
    if job.estimate:
        starts, runs = between(*job.estimate.starts_in), between(*job.estimate.runs_for)
        lines.append(f"{faint('starts in'.ljust(11))}{starts}, then runs for {runs} (by the last runs of its class)")
    return lines


def ending_lines(job: Job) -> list[str]:
    """Why a job failed, or what of its report does not count; the platform's sentences say what to do about it."""
    if job.status is JobState.COMPLETED:
        return note_lines(job)
    if job.status is not JobState.FAILED:
        return []
    reason = plain(job.failure_reason or "unknown")
    return [f"{state_word('failed')} ({one_line(reason)}): {one_line(job.error_message or 'No more is known.')}"]


def note_lines(found: Job | Results) -> list[str]:
    """What of a completed run's report does not count, and why its benchmark does not rank it."""
    lines = [f"Note: {one_line(note)}" for note in found.notes]
    if found.trial:
        return lines
    if found.ranked is False:
        lines.append(f"{strong('Not ranked')}: {one_line(found.unranked_because or 'no more is known')}.")
    return lines


def change_line(job: Job) -> str:
    """A job's state in one line, for following."""
    details = [] if job.status.is_final or job.phase in {"queued", "running", "done"} else [job.phase]
    if job.queue_position is not None and job.status is JobState.PENDING:
        details.append(queue_place(job.queue_position))
    if job.attempt > 1:
        details.append(f"attempt {job.attempt}")
    if job.trial:
        details.append("trial")
    if job.cancel_requested and not job.status.is_final:
        details.append("cancelling")
    return " · ".join([state_word(job.status), *map(one_line, details)])


def jobs_lines(jobs: Iterable[Job], *, with_user: bool) -> list[str]:
    """Jobs as a table."""
    heads = ["JOB", "STATE", "BENCHMARK", "CLASS", "SUBMITTED", "TOOK", "USER"]
    columns = len(heads) - (not with_user)
    return table(heads[:columns], [_job_row(job)[:columns] for job in jobs], right=frozenset({5}))


def submissions_lines(submissions: Iterable[SubmissionSummary]) -> list[str]:
    """Submissions as a table."""
    heads = ["SUBMISSION", "ENTRYPOINT", "FILES", "SIZE", "UPLOADED", "USER"]
    rows = [_submission_row(item) for item in submissions]
    return table(heads, rows, right=frozenset({2, 3})) if rows else ["Nothing yet: leadersboard submit PATH --follow"]


def results_lines(results: Results) -> list[str]:
    """Metrics, files and links of a finished job."""
    lines = table(
        ["METRIC", "VALUE"], [[n, number(v)] for n, v in sorted(results.metrics.items())], right=frozenset({1})
    )
    if results.proof:
        lines += [
            "",
            f"Verified: the platform computed these with {one_line(results.proof.scorer)}, from hidden labels.",
        ]
    if results.claims:
        claims = [[n, number(v)] for n, v in sorted(results.claims.items())]
        lines += ["", *table(["CLAIMED, DOES NOT COUNT", "VALUE"], claims, right=frozenset({1}))]
    if results.params:
        lines += ["", *table(["PARAM", "VALUE"], [[n, v] for n, v in sorted(results.params.items())])]
    if results.artifacts:
        files = [[file.path, size(file.size_bytes)] for file in results.artifacts]
        lines += ["", *table(["FILE", "SIZE"], files, right=frozenset({1}), exact=frozenset({0}))]
        lines += [cut] if (cut := cut_line(len(files), results.artifacts_total, trial=results.trial)) else []
        lines += [] if results.artifacts_available else [_away(results)]
    lines += tracking_lines(results.tracking)
    lines += rerun_lines(results.rerun)
    if notes := note_lines(results):
        lines += ["", *notes]
    return [*lines, "", f"MLflow: {one_line(results.mlflow_ui_url)}"] if results.mlflow_ui_url else lines


def _away(results: Results) -> str:
    if results.trial:
        return "The files are gone: those of a trial are kept for a day."
    return "The files cannot be fetched now: MLflow does not answer."


def cut_line(listed: int, total: int, *, trial: bool = False) -> str:
    """That a list of files is cut, and how long it really is; empty if it is not."""
    if total <= listed:
        return ""
    where = "A trial keeps 16 MiB of them" if trial else "All of them are in MLflow"
    return f"{listed:,} of {total:,} files: curves, maps and logs first. {where}."


def tracking_lines(tracking: Tracking) -> list[str]:
    """The differences of the run in MLflow; the figures above are those that the platform recorded."""
    if not tracking.is_noteworthy:
        return []
    word = "Changed in MLflow since it was recorded" if tracking.state == "changed" else "Missing in MLflow"
    return ["", f"{word} (scores and ranks do not depend on it):", *(f"  {one_line(d)}" for d in tracking.differences)]


def trial_lines(job: Job, results: Results | None, primary_metric: str | None) -> list[str]:
    """What a trial found out: whether a job that reports the same would be ranked, or what to mend."""
    if job.status is JobState.CANCELLED:
        return ["The trial was cancelled. Nothing was recorded."]
    if results is None:
        return ["Mend that, then check again. Nothing was recorded."]
    if job.would_be_ranked:
        value = results.metrics.get(primary_metric or "")
        shown = f" with {one_line(primary_metric)} {number(value)}" if value is not None else ""
        return [
            f"{strong('This would be ranked')}{shown}, on a few pictures: the whole data gives other figures.",
            f"Nothing was recorded. Submit it: leadersboard rerun {one_line(job.job_id)} --as-job --follow",
        ]
    if job.would_be_ranked is None:
        return [
            f"{strong('It ran, and left predictions')}. The platform scores this benchmark itself, and no trial.",
            f"Nothing was recorded. Submit it: leadersboard rerun {one_line(job.job_id)} --as-job --follow",
        ]
    because = one_line(job.unranked_because or "no more is known")
    return [f"{strong('This would not be ranked')}: {because}.", "Mend that, then check again. Nothing was recorded."]


def weights_lines(weights: WeightsList) -> list[str]:
    """Weights as a table; the programs' names for them are shown exactly."""
    if not weights.items:
        return ["None: your platform's admin can add some. The sandbox image has tf_efficientnet_lite0 of timm."]
    rows = [[one.name, size(one.size_bytes), one.use] for one in weights.items]
    return table(["NAME", "SIZE", "USED BY"], rows, right=frozenset({1}))


MOST_FINDINGS = 20
"""How many findings about one benchmark are printed."""


def benchmark_lines(benchmarks: Iterable[Benchmark], name: str | None) -> list[str]:
    """Benchmarks as a table; only the one of that name, if one is given."""
    rows = [
        [one.name, one.title, one.primary_metric, ", ".join(one.categories)]
        for one in benchmarks
        if name in {None, one.name}
    ]
    return table(["BENCHMARK", "TITLE", "RANKED BY", "CATEGORIES"], rows) if rows else ["There is no such benchmark."]


def check_lines(checks: BenchmarkCheckList) -> list[str]:
    """The condition of each benchmark, and what is to be mended."""
    return [line for check in checks.items for line in _check_lines(check)] or ["There is no benchmark."]


def _check_lines(check: BenchmarkCheck) -> list[str]:
    word = {"good": "no fault found", "faulty": "its data has faults", "broken": "broken, it takes no jobs"}
    looked = f"; {check.pictures} pictures and masks were read" if check.pictures else ""
    unseen = f"; {check.unseen}" if check.unseen else ""
    head = f"{check.name}: {word.get(check.condition, check.condition)}{looked}{unseen}."
    shown = check.findings[:MOST_FINDINGS]
    lines = [f"  {one.place}: {'note: ' if one.is_note else ''}{one.rule}" for one in shown]
    left = len(check.findings) - len(shown) + check.more
    lines += [f"  ... and {left} more; --json shows 1,000, scripts/benchmark on the server all."] if left else []
    return [strong(one_line(head)), *map(one_line, lines)]


def _submission_row(item: SubmissionSummary) -> list[str]:
    amount = [str(item.file_count), size(item.size_bytes)]
    return [item.submission_id, item.entrypoint, *amount, ago(item.created_at), item.user_id]


def _job_row(job: Job) -> list[str]:
    choices = [job.benchmark or "-", job.resource_class or "-"]
    return [
        job.job_id,
        f"{job.status} (trial)" if job.trial else job.status,
        *choices,
        ago(job.created_at),
        _took(job) or "-",
        job.user_id,
    ]


def _took(job: Job) -> str | None:
    if job.started_at is None or job.finished_at is None:
        return None
    return duration((job.finished_at - job.started_at).total_seconds())
