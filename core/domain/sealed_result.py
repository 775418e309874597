"""A job's result as recorded when its run ended; boards, ranks and answers are made of these."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.domain.artifact_order import chosen
from core.domain.costs import with_device_time
from core.domain.proof import CLAIMED, Earlier, Proof
from core.domain.provenance import Provenance
from core.domain.standings import Entry

MAX_SEAL_BYTES = 256 * 1024
"""500 metrics and 500 performance figures with the longest names take 228 KB, so figures always fit."""
MAX_SEALED_FILES = 1000
SHORT_PARAM_CHARS = 60
PLATFORM_FIGURES = "system/"
DEVICE_TAG = "leadersboard.device"


class SealedFrom(StrEnum):
    """The source of a sealed result's content."""

    RUN = "run"
    """The runner wrote it when the run ended."""
    TRACKING = "tracking"
    """Read once from the tracking server, for a job that ended before results were sealed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedFile:
    """A file of a run; without a hash if it was not read (the job's log, and files of old jobs)."""

    path: str
    size_bytes: int
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedResult:
    """The result of a completed job. It never changes while the job has a record."""

    job_id: str
    benchmark: str
    user_id: str
    submission_id: str
    run_id: str
    experiment_id: str
    metrics: Mapping[str, float]
    """As the platform computed them if there is a proof, else as the run reported them."""
    params: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    """`system/` figures: reported performance, and the platform's measurements, which no report replaces."""
    method: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """`leadersboard.` tags: code_sha256, image_digest, device, resource_class, site …"""
    started_at: datetime | None = None
    ended_at: datetime
    """As written to the tracking server. Boards are ordered by the ledger's own clock instead."""
    files: tuple[SealedFile, ...] = ()
    """At most MAX_SEALED_FILES, and fewer where their names are long; curves, maps and logs first."""
    file_count: int | None = None
    """How many files the run left; None if it was sealed before this was noted."""
    sealed_from: SealedFrom = SealedFrom.RUN
    provenance: Provenance | None = None
    """None if an older version sealed it, of a trial, and where nothing else could make the seal small enough."""
    left_out: tuple[str, ...] = ()
    """What did not fit into the seal: `files`, `long params`, `params`, `claims`."""
    claims: Mapping[str, float] = field(default_factory=dict)
    """With a proof: the metrics that the submission reported itself, which do not count."""
    proof: Proof | None = None
    """Where the metrics come from; None if the submission reported them."""
    earlier: tuple[Earlier, ...] = ()
    """What the result was before it was computed anew: at first, and the last time before."""

    def rescored(self, metrics: Mapping[str, float], proof: Proof) -> SealedResult:
        """The result with newly computed metrics; what they replace is kept beside them."""
        is_reported = self.proof is None and not self.claims
        before = Earlier(
            metrics={} if is_reported else self.metrics,  # those are the claims from now on
            scorer=self.proof.scorer if self.proof else None,
            labels_sha256=self.proof.labels_sha256 if self.proof else None,
        )
        claims = self.metrics if is_reported else self.claims
        earlier = (*self.earlier[:1], before)
        return replace(self, metrics=finite(metrics), claims=claims, proof=proof, earlier=earlier)

    @property
    def counted(self) -> dict[str, float]:
        """The metrics that count: those of the platform's scorer or of the report, and the `system/` figures."""
        return {**self.metrics, **self.figures}

    @property
    def all_metrics(self) -> dict[str, float]:
        """All metrics under their names at the tracking server."""
        return {**claimed(self.claims), **self.counted}

    def entry(self, finished_at: datetime) -> Entry:
        """The board entry for a job that ended at `finished_at`, by the ledger's clock."""
        return Entry(
            job_id=self.job_id,
            submission_id=self.submission_id,
            user_id=self.user_id,
            run_id=self.run_id,
            experiment_id=self.experiment_id,
            method=self.method,
            metrics=with_device_time(self.counted, self.tags.get(DEVICE_TAG, "")),
            categories=self.proof.categories if self.proof else {},
            finished_at=finished_at,
            is_verified=self.proof is not None,
            is_rescored=bool(self.earlier),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Seal:
    """A result as text in one canonical form, and the SHA-256 of that text."""

    text: str
    sha256: str


class DamagedSeal(ValueError):
    """Raised when a stored result does not match its hash or cannot be read."""


_ADAPTER: TypeAdapter[SealedResult] = TypeAdapter(SealedResult)


def sealed(result: SealedResult) -> Seal:
    """The seal of a result, at most MAX_SEAL_BYTES: if larger, the list of files is cut, then params are left out."""
    for step in _STEPS:
        text = _canonical(smaller := step(result))
        if len(text.encode()) <= MAX_SEAL_BYTES:
            return Seal(text=text, sha256=hashlib.sha256(text.encode()).hexdigest())
    raise ValueError(f"the figures of job {smaller.job_id} are larger than {MAX_SEAL_BYTES} bytes")


def opened(text: str, sha256: str) -> SealedResult:
    """The result of a seal. Raises DamagedSeal."""
    if hashlib.sha256(text.encode()).hexdigest() != sha256:
        raise DamagedSeal("the stored result does not match its SHA-256")
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise DamagedSeal(f"the stored result cannot be read: {error.error_count()} faults") from error


def claimed(claims: Mapping[str, float]) -> dict[str, float]:
    """A submission's own numbers under names with a prefix that tells them from the platform's."""
    return {f"{CLAIMED}{name}": value for name, value in claims.items()}


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Only the numbers that can be ranked and written as JSON."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _canonical(result: SealedResult) -> str:
    """Sorted keys, no blanks, no NaN: equal results have equal texts."""
    document: Any = _ADAPTER.dump_python(result, mode="json")
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _with_fewer_files(result: SealedResult, most: int) -> SealedResult:
    """The result with at most `most` of its files, those that matter most to a reader."""
    kept = {path: at for at, path in enumerate(chosen((file.path for file in result.files), most))}
    files = sorted((file for file in result.files if file.path in kept), key=lambda file: kept[file.path])
    return replace(result, files=tuple(files), file_count=result.file_count or len(result.files))


def _without_files(result: SealedResult) -> SealedResult:
    return replace(result, files=(), left_out=("files",)) if result.files else result


def _with_short_params(result: SealedResult) -> SealedResult:
    short = {name: value[:SHORT_PARAM_CHARS] for name, value in result.params.items()}
    return replace(result, files=(), params=short, left_out=("files", "long params"))


def _without_params(result: SealedResult) -> SealedResult:
    return replace(result, files=(), params={}, left_out=("files", "params"))


def _without_claims(result: SealedResult) -> SealedResult:
    return replace(result, files=(), params={}, claims={}, left_out=("files", "params", "claims"))


def _without_provenance(result: SealedResult) -> SealedResult:
    return replace(_without_claims(result), provenance=None)


_STEPS: Sequence[Callable[[SealedResult], SealedResult]] = (
    lambda result: result,
    *(partial(_with_fewer_files, most=MAX_SEALED_FILES // part) for part in (2, 4, 8, 16, 32)),
    _without_files,
    _with_short_params,
    _without_params,
    _without_claims,
    _without_provenance,
)
