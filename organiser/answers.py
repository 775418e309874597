"""Reads what a scorer answered, for its organiser: every rule that it breaks is refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.benchmark import Benchmark
from core.domain.strict_json import BadJson, parse
from organiser.samples import Refused

FILE = "scores.json"
MOST_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The usable answer of a scorer."""

    scorer: str
    metrics: Mapping[str, float]
    notes: tuple[str, ...]


def read_answer(path: Path, benchmark: Benchmark) -> Answer:
    """Raises Refused; figures outside the benchmark's own bounds are refused, too."""
    if not path.is_file() or path.is_symlink():
        raise Refused(f"the scorer ended well and wrote no {FILE}")
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise Refused(f"{FILE} is larger than {MOST_BYTES:,} bytes")
    try:
        document = parse(raw)
    except BadJson as error:
        raise Refused(f"{FILE} {error}") from error
    if not isinstance(document, dict):
        raise Refused(f'{FILE} must be an object such as {{"scorer": "mine 1", "metrics": {{"accuracy": 0.9}}}}')
    metrics = _figures(document.get("metrics"), "metrics", benchmark)
    categories = document.get("categories", {})
    if not isinstance(categories, dict):
        raise Refused(f'{FILE}: "categories" must be an object of objects')
    for name, figures in categories.items():
        _figures(figures, f"categories of {name}", benchmark)
    scorer, notes = document.get("scorer", "unnamed"), document.get("notes", [])
    if not isinstance(scorer, str) or not isinstance(notes, list) or not all(isinstance(one, str) for one in notes):
        raise Refused(f'{FILE}: "scorer" must be a text, and "notes" a list of texts')
    if benchmark.primary_metric not in metrics:
        raise Refused(f"{FILE} has no {benchmark.primary_metric}, by which this benchmark ranks")
    return Answer(scorer=scorer, metrics=metrics, notes=tuple(notes))


def _figures(found: Any, where: str, benchmark: Benchmark) -> dict[str, float]:
    if not isinstance(found, dict):
        raise Refused(f'{FILE}: "{where}" must be an object of numbers')
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"{FILE}: {name} in {where} is no number")
        rule = benchmark.metric(name)
        if rule and not rule.admits(value):
            raise Refused(f"{FILE}: {name} in {where} is {value:.10g}, out of the bounds in benchmark.yaml")
    return {name: float(value) for name, value in found.items()}
