"""The check of labels and scorers: what constant and perfect predictions get, and in words what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from organiser.command import main
from tests.benchmark_sets import encoded, good_set, mask, surface
from tests.unit.organiser.data_sets import Made, folder_set, prepared, visa_set
from tests.unit.organiser.own_scorer import own_scorer

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Made:
    return prepared(tmp_path, good_set(), capsys)


def checked(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, str, str]:
    code = main(arguments)
    text = capsys.readouterr()
    return code, text.out, text.err


def of(made: Made) -> list[str]:
    return ["check", str(made.output), "--labels", str(made.labels)]


def figures(out: str) -> dict[str, tuple[str, ...]]:
    """What constant and perfect predictions got, by metric."""
    rows = [line.split() for line in out.splitlines() if line[:1].isalpha() and not line.startswith(("Scorer", "note"))]
    return {row[0]: tuple(row[1:3]) for row in rows}


@pytest.mark.parametrize("files", [good_set(), visa_set(), folder_set()], ids=["mvtec", "visa", "folder"])
def test_what_prepare_wrote_is_scored(
    files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Perfect predictions get 1 in everything; constant ones what chance gets."""
    code, out, err = checked(capsys, of(prepared(tmp_path, files, capsys)))
    assert (code, err, len(figures(out))) == (0, "", 8)
    assert {perfect for _constant, perfect in figures(out).values()} == {"1.0000"}
    assert figures(out)["image_auc"] == ("0.5000", "1.0000")
    assert figures(out)["pixel_pro"] == ("0.1500", "1.0000")


def test_without_masks_pictures_alone_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = checked(capsys, of(prepared(tmp_path, folder_set(masks=""), capsys)))
    assert (code, list(figures(out))) == (0, ["image_auc", "image_ap", "image_f1"])


def change_row(made: Made, **changes: Any) -> None:
    """Changes the first label that has a mask."""
    told = made.told()
    row = next(row for row in told["categories"]["weave"] if row["anomalous"])
    row |= changes
    (made.labels / "labels.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "99999"}, "a label is for no picture: weave/test/99999.png"),
        ({"id": "99999"}, "a picture has no label: weave/test/"),
        ({"size": [8, 8]}, "a picture has another size than its label says: weave/test/"),
        ({"mask": None}, "some anomalous pictures of a category have a mask and others have none"),
        ({"mask": "../x.png"}, "it is a path below the folder of labels"),
        ({"mask": "masks/none.png"}, "a mask cannot be read as a picture"),
        ({"anomalous": "yes"}, 'a picture needs "id"'),
    ],
)
def test_wrong_labels_are_told_in_words(
    made: Made, changes: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change_row(made, **changes)
    code, _out, err = checked(capsys, of(made))
    assert (code, words in err) == (1, True), err


def test_wrong_masks_are_told_in_words(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    masks = sorted((made.labels / "masks").iterdir())
    masks[0].write_bytes(encoded(mask(size=(8, 8))))
    masks[1].write_bytes(encoded(mask(0)))
    masks[2].write_bytes(encoded(mask())[:-30])
    code, _out, err = checked(capsys, of(made))
    assert code == 1
    for words in ("a mask is of 8 × 8 pixels", "mask of an anomalous picture is empty", "a mask cannot be read"):
        assert words in err


def test_pictures_without_labels_are_told(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    (made.public / "weave" / "test" / "more.png").write_bytes(encoded(surface(1)))
    (made.public / "weave" / "test" / "00000.png").write_bytes(b"")
    _code, _out, err = checked(capsys, of(made))
    assert "a picture has no label: weave/test/more.png" in err
    assert "a picture is no PNG" in err


def test_labels_where_runs_see_them_and_links_are_refused(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    moved = made.public / "labels"
    made.labels.rename(moved)
    assert "where runs see them" in checked(capsys, ["check", str(made.output), "--labels", str(moved)])[2]
    assert "there is no such folder of labels" in checked(capsys, of(made))[2]
    moved.rename(made.labels)
    (made.labels / "more.json").symlink_to("/etc/passwd")
    assert "it is a link" in checked(capsys, of(made))[2]


def test_other_settings_are_refused(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    path = made.output / "benchmark.yaml"
    document = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(document | {"categories": ["grain"]}))
    assert "the categories of the labels are not those of benchmark.yaml" in checked(capsys, of(made))[2]
    path.write_text(yaml.safe_dump(document | {"primary_metric": "none"}))
    assert "cannot be used" in checked(capsys, of(made))[2]
    path.write_text(yaml.safe_dump(document | {"scoring": "reported"}))
    assert "does not say `scoring: verified`" in checked(capsys, of(made))[2]
    path.write_text("[" * 5000)
    assert "cannot be used" in checked(capsys, of(made))[2]


def test_a_wrong_direction_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _out, err = checked(capsys, own_scorer(tmp_path, metrics=[{"name": "error", "direction": "maximize"}]))
    assert (code, "perfect predictions get no better error than constant ones" in err) == (1, True)


def test_an_own_scorer_is_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left beside the labels."""
    arguments = own_scorer(tmp_path)
    code, out, err = checked(capsys, arguments)
    assert (code, err) == (0, "")
    assert "Scorer: guess 1" in out
    assert figures(out) == {"error": ("7.0000", "0.0000")}
    assert "note: by hand" in out
    assert sorted(path.name for path in (tmp_path / "labels").iterdir()) == ["beside.py", "score.py", "truth.json"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("sys.exit('\\x1b[31mboom')", "the scorer ended with exit code 1. Its last words:\n‹U+001B›[31mboom"),
        ("print('x' * 100_000); sys.exit(9)", "the scorer ended with exit code 9"),
        ("print('no truth'); sys.exit(4)", "the labels are wrong:\nno truth"),
        ("print('no guess'); sys.exit(3)", "refuses predictions that it or the labels gave:\nno guess"),
        ("sys.exit(0)", "the scorer ended well and wrote no scores.json"),
        ("import time; time.sleep(600)", "the scorer took longer than 2 s"),
    ],
)
def test_how_an_own_scorer_fails_is_told(
    more: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _out, err = checked(
        capsys, [*own_scorer(tmp_path, more=more), "--seconds", "2" if "sleep" in more else "600"]
    )
    assert (code, words in err, "\x1b" in err) == (1, True, False), err
    assert len(err) < 3000


def test_a_scorer_without_examples_is_told_how_to_make_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _out, err = checked(capsys, own_scorer(tmp_path, score="import sys; sys.exit(2)"))
    assert (code, "score.py makes no example predictions" in err) == (1, True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"metrics": {"error": float("nan")}}', "scores.json must"),
        ('{"metrics": {"error": -1}}', "has error -1, which is out of the benchmark's own bounds"),
        (
            '{"metrics": {"error": 1}, "categories": {"a": {"error": -1}}}',
            "has error -1, which is out of the benchmark's own bounds",
        ),
        ('{"metrics": {"error": True}}', "must have a number as 'error'"),
        ('{"metrics": {"error": "1"}}', "must have a number as 'error'"),
        ('{"metrics": {"other": 1}}', "has no error, by which this benchmark ranks"),
        ('{"metrics": [1]}', "must have an object metrics"),
        ('{"metrics": {"error": 1}, "categories": [1]}', "must have an object as categories"),
        ('{"metrics": {"error": 1}, "notes": "x"}', "must have a list of texts as notes"),
        ("[1]", "scores.json must be a JSON object"),
        ('"x" * 300_000', "scores.json is larger than"),
        ('{"metrics": {"error": 3}}', "perfect predictions get no better error than constant ones"),
    ],
)
def test_a_useless_answer_is_told(answer: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _out, err = checked(capsys, own_scorer(tmp_path, answer=answer))
    assert (code, words in err) == (1, True), err


def test_metrics_beside_the_boards_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = '{"metrics": {"error": abs(guess - truth), "more": 1}}'
    metrics = [{"name": "error", "direction": "minimize"}, {"name": "never"}]
    code, out, _err = checked(capsys, own_scorer(tmp_path, answer=answer, metrics=metrics))
    assert (code, "(not in benchmark.yaml, so not on the board)" in out) == (0, True)
    assert "note: never of benchmark.yaml is not computed, so its column stays empty" in out
