"""Scores probabilities of the ten digits: an example of a benchmark's own scorer (docs/scoring.md, "Another task").

    python score.py --predictions DIR --labels DIR --output DIR
    python score.py --example perfect|constant --labels DIR --output DIR

Predictions are `probabilities.json`: {"0000": [0.1, 0.0, …]}, ten numbers for exactly the ids of the pictures to test
on, which are at least 0 and sum to 1 within 0.001. Only the standard library and NumPy are used.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

VERSION = "digits 1"  # changes whenever the same input could give another figure
BAD_PREDICTIONS, BAD_LABELS = 3, 4
FILE, TRUTH = "probabilities.json", "truth.json"
DIGITS = 10
MOST_BYTES = 4 * 1024 * 1024
TOLERANCE = 1e-3
LEAST = 1e-15  # a probability of 0 for the right digit would cost infinitely much
MOST_NAMED = 5
NOTES = [f"probabilities below {LEAST:g} count as that in log_loss"]


def main() -> int:
    parser = argparse.ArgumentParser()
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--predictions", type=Path)
    given.add_argument("--example", choices=["perfect", "constant"])
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    told = parser.parse_args()
    truth = read_truth(told.labels / TRUTH)
    if told.example:
        write_example(told.output, truth, is_perfect=told.example == "perfect")
    else:
        rows = read_probabilities(told.predictions / FILE, list(truth))
        answer = score(np.array(list(truth.values())), rows)
        (told.output / "scores.json").write_text(json.dumps(answer, indent=1) + "\n")
    return 0


def refuse(code: int, *lines: str) -> NoReturn:
    """Ends with these lines as the verdict."""
    print("\n".join(lines), file=sys.stderr)
    sys.exit(code)


def read_truth(path: Path) -> dict[str, int]:
    try:
        truth: dict[str, int] = json.loads(path.read_text())
        if truth and all(type(digit) is int and 0 <= digit < DIGITS for digit in truth.values()):
            return truth
    except (OSError, ValueError, AttributeError) as error:
        refuse(BAD_LABELS, f"{TRUTH} cannot be read: {error}")
    refuse(BAD_LABELS, f'{TRUTH} must be {{"id": digit}}, with digits from 0 to 9')


def read_probabilities(path: Path, ids: list[str]) -> NDArray[np.float64]:
    """One row of ten for each id. A hostile program may have written the file: nothing is taken on trust."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
                refuse(BAD_PREDICTIONS, f"{FILE} is no plain file, or larger than {MOST_BYTES:,} bytes")
            pairs = json.loads(file.read(MOST_BYTES), object_pairs_hook=list, parse_int=float)
    except OSError:
        refuse(BAD_PREDICTIONS, f"there is no file {FILE} that can be read: write it into predictions/")
    except (ValueError, RecursionError):
        refuse(BAD_PREDICTIONS, f"{FILE} is not JSON")
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        refuse(BAD_PREDICTIONS, f'{FILE} must be one object: {{"id": [ten numbers]}}')
    if faults := [*id_faults([name for name, _row in pairs], ids), *row_faults(pairs)]:
        refuse(BAD_PREDICTIONS, *faults)
    rows = dict(pairs)
    table: NDArray[np.float64] = np.array([rows[one] for one in ids])
    table /= table.sum(axis=1, keepdims=True)
    return table


def id_faults(names: list[str], ids: list[str]) -> list[str]:
    kinds = {
        "an id is there twice": [name for name, count in Counter(names).items() if count > 1],
        "an id is none of the benchmark's": sorted(set(names) - set(ids)),
        "an id is missing": sorted(set(ids) - set(names)),
    }
    return [line(sentence, found) for sentence, found in kinds.items() if found]


def row_faults(pairs: list[tuple[str, Any]]) -> list[str]:
    found = [name for name, row in pairs if not is_row(row)]
    sentence = f"no {DIGITS} finite numbers that are at least 0 and sum to 1 within {TOLERANCE:g}"
    return [line(sentence, found)] if found else []


def is_row(row: Any) -> bool:
    if not isinstance(row, list) or len(row) != DIGITS or not all(isinstance(one, float) for one in row):
        return False
    return all(0 <= one <= 1 + TOLERANCE for one in row) and abs(sum(row) - 1) <= TOLERANCE  # NaN is neither


def line(sentence: str, names: list[str]) -> str:
    """The fault with the first ids, as text that is safe in a log."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{sentence}: {', '.join(ascii(name)[:60] for name in names[:MOST_NAMED])}{more}"


def score(truth: NDArray[np.int64], rows: NDArray[np.float64]) -> dict[str, Any]:
    """Accuracy, the mean of the ten digits' F1, and the mean of -ln of the right digit's probability."""
    chosen = rows.argmax(axis=1)
    each = {}
    for digit in range(DIGITS):
        is_it, said = truth == digit, chosen == digit
        both = int((is_it & said).sum())
        total = int(is_it.sum() + said.sum())
        each[str(digit)] = {"f1": 2 * both / total if total else 0.0}
    right = np.clip(rows[np.arange(len(truth)), truth], LEAST, 1.0)
    metrics = {
        "accuracy": float((chosen == truth).mean()),
        "macro_f1": float(np.mean([one["f1"] for one in each.values()])),
        "log_loss": max(0.0, float(-np.log(right).mean())),
    }
    return {"scorer": VERSION, "metrics": metrics, "categories": each, "notes": NOTES}


def write_example(output: Path, truth: dict[str, int], *, is_perfect: bool) -> None:
    """Predictions that know everything, or nothing: `scripts/benchmark check` scores them."""
    output.mkdir(parents=True, exist_ok=True)
    known = {one: [float(digit == number) for number in range(DIGITS)] for one, digit in truth.items()}
    rows = known if is_perfect else dict.fromkeys(truth, [1 / DIGITS] * DIGITS)
    (output / FILE).write_text(json.dumps(rows))


if __name__ == "__main__":
    sys.exit(main())
