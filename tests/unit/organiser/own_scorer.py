"""A benchmark of another task, whose labels bring a scorer."""

from __future__ import annotations

from pathlib import Path

import yaml

SCORE = """
import argparse, json, pathlib, sys
import beside
parser = argparse.ArgumentParser()
for name in ("predictions", "labels", "output", "example"):
    parser.add_argument("--" + name)
told = parser.parse_args()
out, truth = pathlib.Path(told.output), json.loads((pathlib.Path(told.labels) / "truth.json").read_text())
if told.example:
    out.mkdir()
    (out / "guess.json").write_text(json.dumps(truth if told.example == "perfect" else 0))
    sys.exit()
guess = json.loads((pathlib.Path(told.predictions) / "guess.json").read_text())
{more}
(out / "scores.json").write_text(json.dumps({answer}))
"""
ANSWER = '{"scorer": "guess 1", "metrics": {"error": abs(guess - truth)}, "notes": ["by hand"]}'


def own_scorer(
    root: Path, *, answer: str = ANSWER, more: str = "", score: str = SCORE, **settings: object
) -> list[str]:
    """Writes benchmark and labels; returns the arguments of the check. A guess is worth its distance to the truth."""
    document = {
        "name": "guess", "title": "Guess", "scoring": "verified", "primary_metric": "error",
        "metrics": [{"name": "error", "direction": "minimize", "minimum": 0}], **settings,
    }  # fmt: skip
    (root / "guess" / "public").mkdir(parents=True)
    (root / "guess" / "benchmark.yaml").write_text(yaml.safe_dump(document))
    (root / "labels").mkdir()
    (root / "labels" / "truth.json").write_text("7")
    (root / "labels" / "beside.py").touch()
    (root / "labels" / "score.py").write_text(score.replace("{answer}", answer).replace("{more}", more))
    return ["check", str(root / "guess"), "--labels", str(root / "labels")]
