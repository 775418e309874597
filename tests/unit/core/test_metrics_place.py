"""Where `metrics.json` was perhaps written instead, and what the submitter is told."""

from __future__ import annotations

import pytest

from core.domain.metrics_place import LINE_CHARS, MOST_NAMED, Candidates, elsewhere, named_line

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


@pytest.mark.parametrize(
    "line",
    [
        "json.dump(found, open('metrics.json', 'w'))",
        'Path("metrics.json").write_text(text)',
        'with open("./metrics.json", "w") as file:',
        "open( r'metrics.json')",
        "df.to_json('metrics.json')",
        "OUT = '/tmp/metrics.json'",
        "path = '/job/results/metrics.json'",
        "save(found, 'results/metrics.json')",
        "save(found, '../metrics.json')",
    ],
)
def test_a_line_that_names_another_folder_is_found(line: str) -> None:
    assert named_line(f"import json\n# open('metrics.json')\n    {line}\n") == 3
    assert elsewhere((), "main.py, line 3,").startswith("main.py, line 3, names a metrics.json in another folder")


@pytest.mark.parametrize(
    "line",
    [
        "os.path.join(args.output, 'metrics.json')",
        "(out / 'metrics.json').write_text(text)",
        "Path(args.output, 'metrics.json')",
        "open(f'{args.output}/metrics.json', 'w')",
        "open(args.output + '/metrics.json', 'w')",
        "open('/out/metrics.json', 'w')",
        "print('metrics.json')",
        "# open('metrics.json')",
    ],
)
def test_a_line_that_writes_as_it_should_is_not(line: str) -> None:
    assert named_line(line) is None


def test_what_was_found_in_the_output_comes_first() -> None:
    assert (
        elsewhere(("v0/metrics.json",), "main.py, line 3,") == "There is v0/metrics.json: write it to --output itself."
    )


def test_long_lines_are_cut() -> None:
    assert named_line("x" * LINE_CHARS + "open('metrics.json')") is None
    assert named_line("open(" * 10**5 + "'a/" * 10**5) is None
