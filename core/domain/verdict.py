"""Turns the record of a run into a verdict; no I/O (BOX-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.hints import hint
from core.domain.limits import MIB, ResourceClass
from core.domain.metrics import BadMetrics, RunMetrics, parse_metrics
from core.domain.metrics_place import elsewhere
from core.domain.proof import Proof

NO_METRICS = "The program ended well and wrote no metrics.json into the directory given by --output."
SIGNALS = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 136: "SIGFPE", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM"}


class FailureReason(StrEnum):
    """Why a job failed; complete list."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    LOG_LIMIT = "log_limit"
    NO_METRICS = "no_metrics"
    BAD_METRICS = "bad_metrics"
    NO_PREDICTIONS = "no_predictions"
    BAD_PREDICTIONS = "bad_predictions"
    REQUIREMENTS = "requirements"
    SCORE = "score"
    PLATFORM = "platform"


class Stop(StrEnum):
    """Why the platform ended a run."""

    TIMEOUT = "timeout"
    LOG_LIMIT = "log_limit"
    CANCEL = "cancel"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """What happened in the sandbox. `metrics` is the raw `metrics.json`, None if there is none to read."""

    exit_code: int
    out_of_memory: bool
    stopped: Stop | None = None
    wall_seconds: float
    metrics: bytes | None
    metrics_problem: str | None = None
    """Why an existing `metrics.json` could not be read, e.g. it is a link."""
    metrics_elsewhere: tuple[str, ...] = ()
    """Files that were perhaps meant, by path: below the output directory, or absolute where they lay outside it."""
    metrics_line: str = ""
    """Where the program names a metrics.json in another folder, e.g. "main.py, line 12,"; empty if nowhere."""
    output_full: bool = False
    image_digest: str = ""
    peaks: Mapping[str, float] = field(default_factory=dict)
    last_words: str = ""
    """The end of what the run printed, for a hint."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The judgement of a run: its metrics, or the reason of its failure and what to do about it."""

    metrics: RunMetrics | None = None
    reason: FailureReason | None = None
    message: str = ""
    cancelled: bool = False
    notes: tuple[str, ...] = ()
    """Of a run that passed: sentences on what of its report does not count, or counts under another name."""
    ranked: bool | None = None
    """Of a run that passed: whether its benchmark ranks it; None until that is assessed."""
    unranked_because: str | None = None
    claims: Mapping[str, float] = field(default_factory=dict)
    """Of a scored run: the metrics that the submission reported itself, which do not count."""
    proof: Proof | None = None
    """Of a scored run: where its metrics come from."""
    refunded: bool = False
    """Of a run that passed: whether it does not count towards its user's limit, as the platform could not score it."""

    @property
    def passed(self) -> bool:
        return self.metrics is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintLimits:
    """How much a run may print before it is stopped."""

    max_bytes: int
    max_lines: int


def judge(
    record: RunRecord, limits: ResourceClass, most_printed: PrintLimits | None = None, *, is_scored: bool = False
) -> Verdict:
    """The verdict on a run. Rules apply in this order: our own stop, memory, exit code, output, metrics.

    `limits` are those with which the run was launched. If the run `is_scored` by the platform, its own metrics are only
    claims, which it may leave out.
    """
    if record.stopped is Stop.LOG_LIMIT:
        return _printed_too_much(record, most_printed)
    for rule in (_stopped, _memory, _exit, _claims if is_scored else _metrics):
        verdict = rule(record, limits)
        if verdict is not None:
            return verdict
    raise AssertionError("the last rule always decides")


def _failed(reason: FailureReason, message: str) -> Verdict:
    return Verdict(reason=reason, message=message)


def _stopped(record: RunRecord, limits: ResourceClass) -> Verdict | None:
    if record.stopped is Stop.CANCEL:
        return Verdict(cancelled=True, message="Cancelled while it ran.")
    if record.stopped is Stop.TIMEOUT:
        return _failed(
            FailureReason.TIMEOUT,
            f"The run was stopped after {limits.timeout_seconds} s, the limit of class {limits.name!r}. "
            f"Do less work, or use a class with more time.{_hint(record)}",
        )
    return None


def _printed_too_much(record: RunRecord, most_printed: PrintLimits | None) -> Verdict:
    bound = (
        f"more than the {most_printed.max_bytes / MIB:g} MiB or {most_printed.max_lines} lines that a run may print"
        if most_printed
        else "more bytes or lines than this site lets a run print"
    )
    seen = record.peaks.get("log_bytes", 0) / MIB
    return _failed(
        FailureReason.LOG_LIMIT,
        f"The run was stopped after it had printed {seen:.1f} MiB: {bound}. Print less, e.g. per epoch.{_hint(record)}",
    )


def _memory(record: RunRecord, limits: ResourceClass) -> Verdict | None:
    if not record.out_of_memory:
        return None
    peak = record.peaks.get("memory_bytes")
    seen = f" (peak seen: {peak / MIB:.0f} MiB)" if peak else ""
    return _failed(
        FailureReason.OUT_OF_MEMORY,
        f"The run needed more than {limits.memory_bytes // MIB} MiB of memory{seen}, the limit of class "
        f"{limits.name!r}; files in its temporary folders and its output count towards it. Use smaller batches, or a "
        "class with more memory.",
    )


def _exit(record: RunRecord, limits: ResourceClass) -> Verdict | None:
    if record.exit_code == 0:
        return None
    if record.output_full:
        return _output_limit(record, limits, f"The program ended with exit code {record.exit_code}. ")
    name = SIGNALS.get(record.exit_code)
    how = f"was ended by {name} (exit code {record.exit_code})" if name else f"ended with exit code {record.exit_code}"
    return _failed(FailureReason.EXIT, f"The program {how}. The end of the log says more.{_hint(record)}")


def _hint(record: RunRecord) -> str:
    found = hint(record.last_words)
    return f" Hint: {found}" if found else ""


def _output_limit(record: RunRecord, limits: ResourceClass, how: str = "") -> Verdict:
    size, files = record.peaks.get("output_bytes", 0), record.peaks.get("output_files", 0)
    seen = f", with {size / MIB:.0f} MiB in {files:.0f} files" if files else ""
    return _failed(
        FailureReason.OUTPUT_LIMIT,
        f"{how}The output directory was full{seen} ({limits.output_bytes // MIB} MiB or {limits.output_files} files, "
        f"the limit of class {limits.name!r}). Write less.",
    )


def _metrics(record: RunRecord, limits: ResourceClass) -> Verdict:
    if record.metrics_problem:
        return _failed(FailureReason.BAD_METRICS, f"metrics.json was refused: {record.metrics_problem}.")
    if record.metrics is None:
        if record.output_full:
            return _output_limit(record, limits)
        what = f"{NO_METRICS} {elsewhere(record.metrics_elsewhere, record.metrics_line)}{_hint(record)}"
        return _failed(FailureReason.NO_METRICS, what)
    try:
        metrics = parse_metrics(record.metrics)
    except BadMetrics as error:
        return _failed(FailureReason.BAD_METRICS, f"{error}.")
    return Verdict(metrics=metrics, notes=metrics.notes)


def _claims(record: RunRecord, limits: ResourceClass) -> Verdict:
    """The same for a run that the platform scores: metrics.json may be missing, and a bad one is a note."""
    notes: tuple[str, ...] = ()
    if record.metrics is not None or record.metrics_problem is not None:
        found = _metrics(record, limits)
        if found.passed:
            return found
        notes = (f"{found.message} Only its claims are lost.",)
    return Verdict(metrics=RunMetrics(params={}, metrics={}, performance={}, notes=notes), notes=notes)
