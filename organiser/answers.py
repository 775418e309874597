"""Reads what a scorer answered, for its organiser: by the rules of the site, and with the benchmark's own metric."""

from __future__ import annotations

from pathlib import Path

from core.domain.benchmark import Benchmark
from core.domain.proof import MAX_ANSWER_BYTES, BadScores, Scores, read_scores
from organiser.samples import Refused

FILE = "scores.json"


def read_answer(path: Path, benchmark: Benchmark) -> Scores:
    """Raises Refused for what a site would not take either."""
    raw = b""
    if path.is_file() and not path.is_symlink():
        with path.open("rb") as file:
            raw = file.read(MAX_ANSWER_BYTES + 1)
    try:
        scores = read_scores(raw, benchmark)
    except BadScores as error:
        raise Refused(f"{FILE} {error}") from error
    if benchmark.primary_metric not in scores.metrics:
        raise Refused(f"{FILE} has no {benchmark.primary_metric}, by which this benchmark ranks")
    return scores
