"""Reads a scorer's answer, and keeps its proof: the scorer, and hashes of predictions and labels (SCO-2, DOR-3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.domain.benchmark import Benchmark
from core.domain.metric_names import composed, name_fault
from core.domain.platform_names import SYSTEM
from core.domain.report_notes import cut, on_one_line, shown_name
from core.domain.strict_json import BadJson, parse

CLAIMED = "claimed/"
"""Prefix of a submission's own numbers at the tracking server, where the platform computed others."""
MAX_ANSWER_BYTES = 256 * 1024
MAX_PROOF_BYTES = 64 * 1024
"""Of what is sealed of an answer, as JSON: a seal always has room for it."""
MAX_SCORED = 100
MAX_CATEGORIES = 200
MAX_NOTES = 20
MAX_NOTE_CHARS = 300
MAX_VERSION_CHARS = 100


class BadScores(ValueError):
    """Raised when a scorer's answer cannot be used; its text completes "the scorer's answer"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """The usable answer of a scorer."""

    scorer: str
    """Its name and version, as it calls itself."""
    metrics: Mapping[str, float]
    categories: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What was scored, by which scorer, against which labels; sealed with the metrics that came of it."""

    scorer: str
    predictions_sha256: str
    """Manifest hash of the run's predictions: `scorer.manifest`."""
    labels_sha256: str
    """Manifest hash of the labels at that moment."""
    categories: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """What a result was before it was computed anew."""

    metrics: Mapping[str, float]
    """Empty if no score was found, or if the submission had reported the metrics, which are claims since then."""
    scorer: str | None = None
    labels_sha256: str | None = None


def read_scores(raw: bytes, benchmark: Benchmark) -> Scores:
    """The content of a scorer's `scores.json`. Raises BadScores when it breaks a rule or one of the bounds."""
    if not raw:
        raise BadScores("is missing: the scorer ended well and wrote no scores.json")
    if len(raw) > MAX_ANSWER_BYTES:
        raise BadScores(f"is larger than {MAX_ANSWER_BYTES} bytes")
    try:
        document = parse(raw)
    except BadJson as error:
        raise BadScores(str(error)) from error
    if not isinstance(document, dict):
        raise BadScores("must be a JSON object")
    scores = Scores(
        scorer=_version(document),
        metrics=_metrics(document.get("metrics"), "metrics"),
        categories=_categories(document.get("categories", {})),
        notes=_notes(document.get("notes", [])),
    )
    if not scores.metrics:
        raise BadScores("has no metric")
    for figures in (scores.metrics, *scores.categories.values()):
        _check_bounds(figures, benchmark)
    if len(json.dumps(asdict(scores), ensure_ascii=False).encode()) > MAX_PROOF_BYTES:
        raise BadScores(f"has metrics, categories and notes of more than {MAX_PROOF_BYTES} bytes")
    return scores


def _version(document: Mapping[str, Any]) -> str:
    found = document.get("scorer", document.get("version", "unnamed"))
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise BadScores("must name its version in a text")
    return cut(on_one_line(str(found)), MAX_VERSION_CHARS)


def _metrics(found: Any, where: str) -> dict[str, float]:
    if not isinstance(found, dict):
        raise BadScores(f"must have an object {where}")
    if len(found) > MAX_SCORED:
        raise BadScores(f"has more than {MAX_SCORED} metrics in {where}")
    return {composed(name): _number(composed(name), value) for name, value in found.items()}


def _number(name: str, value: Any) -> float:
    if fault := name_fault(name, of_metric=True):
        raise BadScores(f"has a metric {shown_name(name)}, and {fault}")
    if name.startswith(CLAIMED):
        raise BadScores(
            f"has a metric {shown_name(name)}, and names that begin with {CLAIMED!r} are the platform's own"
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadScores(f"must have a number as {shown_name(name)}")
    return float(value)


def _categories(found: Any) -> dict[str, dict[str, float]]:
    if not isinstance(found, dict):
        raise BadScores("must have an object as categories")
    if len(found) > MAX_CATEGORIES:
        raise BadScores(f"has more than {MAX_CATEGORIES} categories")
    return {cut(on_one_line(name), MAX_VERSION_CHARS): _metrics(one, "each category") for name, one in found.items()}


def _notes(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(note, str) for note in found):
        raise BadScores("must have a list of texts as notes")
    return tuple(cut(on_one_line(note), MAX_NOTE_CHARS) for note in found[:MAX_NOTES])


def _check_bounds(figures: Mapping[str, float], benchmark: Benchmark) -> None:
    for rule in benchmark.metrics:
        value = figures.get(rule.name)
        if not rule.name.startswith(SYSTEM) and value is not None and not rule.admits(value):
            raise BadScores(f"has {rule.name} {value:.10g}, which is out of the benchmark's own bounds")
