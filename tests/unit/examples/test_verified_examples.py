"""The examples for benchmarks that the platform scores: what they write is scored, and they see no labels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.digits import score as digits_score
from organiser.command import main as organise
from scorer.evaluate import evaluate
from scorer.labels import read_labels
from scorer.predictions import find_predictions
from tests.benchmark_sets import encoded, good_set, mask
from tests.unit.organiser.data_sets import NAME, written

pytestmark = [pytest.mark.unit, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[3] / "examples"


def run(example: str, data: Path, root: Path) -> Path:
    """Runs it as a sandbox would; returns its output folder."""
    job = {"job_id": "1", "benchmark": {"name": "x", "categories": []}, "overrides": {}, "device": "cpu"}
    (root / "job.json").write_text(json.dumps(job))
    (root / "out").mkdir()
    subprocess.run(
        [sys.executable, "main.py", "--config", "config.yaml", "--output", root / "out"],
        cwd=EXAMPLES / example,
        env={"LEADERSBOARD_JOB": str(root / "job.json"), "LEADERSBOARD_DATA": str(data)},
        check=True,
        capture_output=True,
    )
    return root / "out"


@pytest.fixture
def plain_defects(tmp_path: Path) -> tuple[Path, Path]:
    """A prepared benchmark whose defects nobody can miss: its data folder and its labels."""
    files = good_set()
    for number in range(3):
        with Image.open(written(tmp_path, files) / f"weave/test/dot/{number:03}.png") as image:
            pixels = np.asarray(image) * (np.asarray(mask())[..., None] == 0).astype(np.uint8)
        files[f"weave/test/dot/{number:03}.png"] = encoded(Image.fromarray(pixels))
    source, output, labels = written(tmp_path / "source", files), tmp_path / "made" / NAME, tmp_path / "labels" / NAME
    assert organise(["prepare", str(source), "--name", NAME, "--output", str(output), "--labels", str(labels)]) == 0
    return output / "public", labels


@pytest.mark.parametrize("example", ["template", "local_statistics"])
def test_what_it_writes_is_scored(example: str, plain_defects: tuple[Path, Path], tmp_path: Path) -> None:
    """And better than chance."""
    data, folder = plain_defects
    out = run(example, data, tmp_path)
    labels = read_labels(folder)
    figures = evaluate(labels, find_predictions(out / "predictions", labels)).means()
    assert (figures["image_auc"], figures["pixel_auc"] > 0.8) == (1.0, True)
    report = json.loads((out / "metrics.json").read_text())
    assert (report["metrics"], bool(report["params"]["method"])) == ({}, True)


def test_digits_writes_probabilities_that_its_scorer_takes(tmp_path: Path) -> None:
    """Of two digits that are easily told apart, a third with one picture, and one that is not there, as in a trial."""
    data = tmp_path / "data"
    truth: dict[str, dict[str, int]] = {"train": {}, "test": {}}
    for split, count in (("train", 24), ("test", 6)):
        (data / split).mkdir(parents=True)
        for number in range(count):
            digit = 2 if number == 23 else number % 2
            pixels = np.random.default_rng(number).integers(0, 40, (8, 8)).astype(np.uint8)
            pixels[:, 4 * (digit % 2) : 4 * (digit % 2) + 4] += 200 - 40 * digit
            Image.fromarray(pixels).save(data / split / f"{number:04}.png")
            truth[split][f"{number:04}"] = digit
    (data / "train.json").write_text(json.dumps(truth["train"] | {"9999": 3}))
    (data / "ids.json").write_text(json.dumps({"test": list(truth["test"])}))
    out = run("digits", data, tmp_path)
    rows = digits_score.read_probabilities(out / "predictions" / digits_score.FILE, list(truth["test"]))
    assert digits_score.score(np.array(list(truth["test"].values())), rows)["metrics"]["accuracy"] == 1.0
