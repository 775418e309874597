"""Where `metrics.json` was perhaps written instead, and what the submitter is told."""

from __future__ import annotations

import pytest

from core.domain.metrics_place import MOST_NAMED, Candidates, elsewhere

pytestmark = pytest.mark.unit


def told(*paths: str) -> str:
    candidates = Candidates()
    for path in paths:
        candidates.see(path)
    return elsewhere(candidates.found)


def test_a_file_one_level_down_is_named() -> None:
    """Field case 31: the nearest of the right name is meant."""
    assert told("a/b/c/metrics.json", "Padim/v0/metrics.json", "results.json") == (
        "There is Padim/v0/metrics.json: write it to --output itself."
    )


@pytest.mark.parametrize(
    "path", ["metrics.JSON", "Metrics.json", "metrics.json.txt", "results.json", "metrics", "metric.json", "scores.csv"]
)
def test_a_file_of_another_name_is_named(path: str) -> None:
    """Its siblings: case, a suffix that Windows hides, a name of habit."""
    assert told(path).startswith(f"There is {path}: call it metrics.json")
    assert told(f"v0/{path}").startswith(f"There is v0/{path}: write it to --output itself, and call it metrics.json")


@pytest.mark.parametrize("path", ["metrics.json", "model.ckpt", "metrics_per_image.parquet", "logs/run.log"])
def test_nothing_else_is_taken_for_it(path: str) -> None:
    """And then the sentence says how to write it."""
    assert "os.path.join(args.output, 'metrics.json')" in told(path)


def test_what_is_kept_and_shown_is_bounded() -> None:
    """A run may leave twenty thousand of them, under names with signs of any kind."""
    candidates = Candidates()
    for number in range(1000):
        candidates.see(f"{number:04}/metrics.json")
    assert len(candidates.found) == MOST_NAMED
    assert candidates.found[0] == "0000/metrics.json"
    message = told("\u202e\n" + "x" * 9999 + "/metrics.json")
    assert len(message) < 300
    assert "\u202e" not in message
