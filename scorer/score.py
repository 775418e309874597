"""The scorer's command: `python -m scorer.score --predictions DIR --labels DIR --output DIR`.

Writes `scores.json` into the output folder and exits with 0. Bad predictions exit with 3, bad labels with 4; what is
wrong is then on standard error, for the submitter or the organiser. With `--example perfect` or `constant` instead of
`--predictions` it writes such predictions into the output folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from scorer import VERSION
from scorer.evaluate import Scores, evaluate
from scorer.examples import KINDS, write_example
from scorer.faults import BadLabels, BadPredictions
from scorer.labels import read_labels
from scorer.predictions import find_predictions

BAD_PREDICTIONS, BAD_LABELS = 3, 4
OUTPUT = "scores.json"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description="Scores predictions against labels.")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--predictions", type=Path, help="folder that a run wrote")
    given.add_argument("--example", choices=KINDS, help="write such predictions into the output folder instead")
    parser.add_argument("--labels", type=Path, required=True, help="folder with labels.json and masks")
    parser.add_argument("--output", type=Path, required=True, help="folder for scores.json, or for the example")
    told = parser.parse_args(arguments)
    try:
        labels = read_labels(told.labels)
        if told.example:
            write_example(told.example, labels, told.output)
            return 0
        scores = evaluate(labels, find_predictions(told.predictions, labels))
    except BadPredictions as error:
        print(error, file=sys.stderr)
        return BAD_PREDICTIONS
    except BadLabels as error:
        print(error, file=sys.stderr)
        return BAD_LABELS
    told.output.joinpath(OUTPUT).write_text(json.dumps(as_mapping(scores), indent=1) + "\n")
    return 0


def as_mapping(scores: Scores) -> dict[str, object]:
    """What `scores.json` holds."""
    return {
        "scorer": VERSION, "metrics": scores.means(), "categories": scores.categories, "notes": list(scores.notes),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
