"""The benchmark `digits` and its own scorer, which is an example of the contract for other tasks (SCO-6)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score, log_loss

from benchmarks.digits import make, score
from core.adapters.files.benchmark_check import check_folder
from core.domain.benchmark import Benchmark
from organiser.command import main as organise

pytestmark = [pytest.mark.unit, pytest.mark.slow]

FOLDER = Path(make.__file__).parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    for folder in (root / "digits" / "public", root / "labels"):
        folder.mkdir(parents=True)
    make.write(root / "digits" / "public", root / "labels", make.SEED)
    (root / "digits" / "benchmark.yaml").write_text((FOLDER / "benchmark.yaml").read_text())
    return root


def test_runs_see_pictures_and_the_digits_to_train_on(made: Path) -> None:
    """Pixels keep their order of brightness; the digits to test on are in the labels alone."""
    public = made / "digits" / "public"
    trained = json.loads((public / "train.json").read_text())
    truth = json.loads((made / "labels" / "truth.json").read_text())
    assert (len(trained), len(truth)) == (make.TRAIN, 797)
    assert json.loads((public / "ids.json").read_text()) == {"test": list(truth)}
    assert {path.stem for path in (public / "test").iterdir()} == set(truth)
    assert sorted(path.name for path in public.iterdir()) == ["ids.json", "test", "train", "train.json"]
    digits = load_digits()
    known = {(digits.images[place] * 255 / 16).round().tobytes(): digits.target[place] for place in range(1797)}
    for split, numbers in (("train", trained), ("test", truth)):
        for one, digit in numbers.items():
            with Image.open(public / split / f"{one}.png") as image:
                assert known[np.asarray(image).astype(float).tobytes()] == digit


def test_its_settings_are_right(made: Path) -> None:
    document = yaml.safe_load((FOLDER / "benchmark.yaml").read_text())
    assert document.pop("scoring") == "verified"
    assert Benchmark.model_validate(document).categories == ()
    assert [one for one in check_folder(made / "digits").findings if one.path != "benchmark.yaml"] == []


def test_constant_and_perfect_predictions_get_what_they_should(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert organise(["check", str(made / "digits"), "--labels", str(made / "labels")]) == 0
    rows = {line.split()[0]: line.split()[1:3] for line in capsys.readouterr().out.splitlines()[2:5]}
    assert rows["log_loss"] == ["2.3026", "0.0000"]
    assert [rows[name][1] for name in ("accuracy", "macro_f1")] == ["1.0000", "1.0000"]


def test_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(5)
    truth, rows = random.integers(0, 10, 200), random.dirichlet(np.ones(10), 200)
    found = score.score(truth, rows)["metrics"]
    chosen = rows.argmax(axis=1)
    assert found["accuracy"] == accuracy_score(truth, chosen)
    assert found["macro_f1"] == pytest.approx(f1_score(truth, chosen, average="macro"), abs=1e-12)
    assert found["log_loss"] == pytest.approx(log_loss(truth, rows, labels=range(10)), abs=1e-12)


def test_certainty_in_the_wrong_digit_costs_much_and_not_infinitely_much() -> None:
    found = score.score(np.zeros(3, np.int64), np.eye(10)[[1, 2, 3]])["metrics"]
    assert found == {"accuracy": 0.0, "macro_f1": 0.0, "log_loss": pytest.approx(34.5388, abs=1e-4)}


GOOD = {"a": [0.1] * 10, "b": [1.0] + [0.0] * 9}


def changed(**rows: Any) -> str:
    return json.dumps({name: row for name, row in (GOOD | rows).items() if row is not None})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "probabilities.json is not JSON"),
        ("[" * 100_000, "probabilities.json is not JSON"),
        (b"\xff\xfe{}", "probabilities.json is not JSON"),
        ("[1]", "must be one object"),
        ("7", "must be one object"),
        (changed(b=None), "an id is missing: 'b'"),
        (changed(c=[0.1] * 10), "an id is none of the benchmark's: 'c'"),
        ('{"a": 1, "a": 2}', "an id is there twice: 'a'"),
        (changed(a=[0.1] * 9), "no 10 finite numbers that are at least 0 and sum to 1 within 0.001: 'a'"),
        (changed(a=[0.2] * 10), "no 10 finite numbers"),
        (changed(a=[float("nan")] * 10), "no 10 finite numbers"),
        (changed(a=[2.0, -1.0] + [0.0] * 8), "no 10 finite numbers"),
        (changed(a=[True] + [0.0] * 9), "no 10 finite numbers"),
        (changed(a={"0": 1.0}), "no 10 finite numbers"),
        (changed(a=[int("9" * 400)] + [0] * 9), "no 10 finite numbers"),
        (changed(**{"\x1b[31m": [0.1] * 10}), r"none of the benchmark's: '\x1b[31m'"),
        (changed(**{f"x{number}": [] for number in range(9)}), "and 4 more"),
        (" " * (score.MOST_BYTES + 1), "or larger than 4,194,304 bytes"),
        (lambda path: path.symlink_to("/etc/passwd"), "there is no file probabilities.json that can be read"),
        (os.mkfifo, "is no plain file"),
        (lambda path: path.mkdir(), "there is no file probabilities.json that can be read"),
        (lambda path: None, "there is no file probabilities.json that can be read"),
    ],
)
def test_bad_predictions_are_refused_in_words(
    text: str | bytes | Callable[[Path], None], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "probabilities.json"
    if callable(text):
        text(path)
    else:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SystemExit) as ended:
        score.read_probabilities(path, list(GOOD))
    assert (ended.value.code, words in (said := capsys.readouterr().err)) == (3, True), said
    assert len(said) < 1000


def test_whole_numbers_and_almost_one_are_taken(tmp_path: Path) -> None:
    (tmp_path / "probabilities.json").write_text(changed(a=[1] + [0] * 9, b=[0.10001] * 10))
    rows = score.read_probabilities(tmp_path / "probabilities.json", ["b", "a"])
    assert rows[1].tolist() == [1.0] + [0.0] * 9
    assert rows.sum(axis=1).tolist() == pytest.approx([1, 1], abs=1e-12)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": 11}', '{"a": "1"}'])
def test_bad_labels_are_the_organisers(text: str, tmp_path: Path) -> None:
    """As a program, which the platform starts."""
    (tmp_path / "truth.json").write_text(text)
    folders = [f"--{name}={tmp_path}" for name in ("predictions", "labels", "output")]
    ended = subprocess.run([sys.executable, score.__file__, *folders], capture_output=True, text=True, check=False)
    assert (ended.returncode, "truth.json " in ended.stderr) == (4, True)
