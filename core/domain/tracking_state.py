"""Compares a run at the tracking server with what the platform recorded; pure (DOR-3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.sealed_result import SealedFile, SealedResult

MAX_DIFFERENCES = 20
SHOWN_CHARS = 120
IDENTITY = {"leadersboard.job_id": "job_id", "leadersboard.user_id": "user_id"} | {
    "leadersboard.submission_id": "submission_id",
    "leadersboard.benchmark": "benchmark",
}
"""Tags that identify the job of a run, with the field of the result that each repeats."""
FINISHED = "FINISHED"


class TrackingState(StrEnum):
    """How a run at the tracking server compares with its job's sealed result."""

    AS_RECORDED = "as_recorded"
    CHANGED = "changed"
    MISSING = "missing"
    """The run does not exist there or was deleted."""
    UNKNOWN = "unknown"
    """Not compared yet, or the tracking server does not answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedRun:
    """A run as the tracking server has it."""

    run_id: str
    experiment_id: str
    status: str
    is_deleted: bool
    ended_at: datetime | None
    metrics: Mapping[str, float]
    """The latest value of each metric: the one that charts and tables there show."""
    params: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracking:
    """The result of a comparison; differences are sentences for people, at most MAX_DIFFERENCES."""

    state: TrackingState
    differences: Sequence[str] = ()


UNKNOWN = Tracking(state=TrackingState.UNKNOWN)


def compared(result: SealedResult, run: TrackedRun | None, files: Sequence[SealedFile] | None = None) -> Tracking:
    """Compares a run with its sealed result; `files` as listed by the tracking server, None if not asked.

    The state is MISSING if the run does not exist or was deleted.
    """
    if run is None or run.is_deleted:
        word = "was deleted" if run else "is not there"
        return Tracking(state=TrackingState.MISSING, differences=(f"the run {word} in MLflow",))
    found: list[str] = []
    for difference in _all(result, run, files):
        if len(found) == MAX_DIFFERENCES:
            found[-1] = "and more"
            break
        found.append(difference)
    state = TrackingState.CHANGED if found else TrackingState.AS_RECORDED
    return Tracking(state=state, differences=tuple(found))


def same_figures(metrics: Mapping[str, float], params: Mapping[str, str], run: TrackedRun) -> bool:
    """Whether a run holds exactly these metrics and params."""
    return not run.is_deleted and dict(metrics) == dict(run.metrics) and dict(params) == dict(run.params)


def _all(result: SealedResult, run: TrackedRun, files: Sequence[SealedFile] | None) -> Iterator[str]:
    if run.status != FINISHED:
        yield f"the run's status is {run.status}, recorded {FINISHED}"
    yield from _differing("metric", result.all_metrics, run.metrics)
    yield from _params(result, run)
    tags = recorded_tags(result)
    yield from _differing("tag", tags, {name: run.tags[name] for name in tags if name in run.tags})
    if run.experiment_id != result.experiment_id:
        yield f"the run is in experiment {run.experiment_id}, recorded in {result.experiment_id}"
    if _milliseconds(run.ended_at) != _milliseconds(result.ended_at):
        yield f"the run's end is {_moment(run.ended_at)}, recorded {_moment(result.ended_at)}"
    if files is not None and "files" not in result.left_out:
        yield from _files(result, files)


def _params(result: SealedResult, run: TrackedRun) -> Iterator[str]:
    if "params" in result.left_out:
        return
    found = dict(run.params)
    if "long params" in result.left_out:  # only the beginnings of long params are known
        found = {name: value[: len(result.params.get(name, value))] for name, value in found.items()}
    yield from _differing("param", result.params, found)


def recorded_tags(result: SealedResult) -> dict[str, str]:
    """The tags with which the run was recorded; other tags of the run are ignored."""
    origin = result.provenance.tags if result.provenance else {}
    return {**result.tags, **origin, **{tag: str(getattr(result, name)) for tag, name in IDENTITY.items()}}


def _differing(kind: str, recorded: Mapping[str, object], found: Mapping[str, object]) -> Iterator[str]:
    for name in sorted({*recorded, *found}):
        if name not in found:
            yield f"{kind} {_short(name)} is gone, recorded {_short(recorded[name])}"
        elif name not in recorded:
            yield f"{kind} {_short(name)} is {_short(found[name])}, which was not recorded"
        elif recorded[name] != found[name]:
            yield f"{kind} {_short(name)} is {_short(found[name])}, recorded {_short(recorded[name])}"


def _files(result: SealedResult, listed: Sequence[SealedFile]) -> Iterator[str]:
    """Compares names and sizes, without the job's own log, which the platform may have extended by a line."""
    log = f"logs/{result.job_id}.log"
    recorded, found = ({file.path: file.size_bytes for file in files} for files in (result.files, listed))
    for path in sorted({*recorded, *found} - {log}):
        if path not in found:
            yield f"file {_short(path)} is gone"
        elif path not in recorded:
            yield f"file {_short(path)} was not recorded"
        elif recorded[path] != found[path]:
            yield f"file {_short(path)} has {found[path]} bytes, recorded {recorded[path]}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _moment(moment: datetime | None) -> str:
    return "not set" if moment is None else moment.isoformat(timespec="milliseconds")
