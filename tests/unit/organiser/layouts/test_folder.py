"""Plain folders, as anomalib's `Folder` reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmark_sets import Files, encoded, mask, surface
from tests.unit.organiser.data_sets import NAME, Made, folder_set, prepared

pytestmark = pytest.mark.unit


def counts(made: Made) -> tuple[int, int, int]:
    """How many pictures to train on, normal ones and anomalous ones to test on."""
    trained = len(list(made.public.glob("*/train/good/*.png")))
    anomalous = [row["anomalous"] for row in made.rows().values()]
    return trained, anomalous.count(False), anomalous.count(True)


def test_usual_names_are_guessed_and_a_fifth_is_tested_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The category has the benchmark's name."""
    made = prepared(tmp_path, folder_set(), capsys)
    assert (made.code, list(made.told()["categories"]), counts(made)) == (0, [NAME], (8, 2, 3))
    assert all("mask" in row for row in made.rows().values() if row["anomalous"])


def test_which_normal_pictures_are_tested_on_comes_from_the_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = []
    for place, seed in enumerate(("1", "1", "2")):
        made = prepared(tmp_path / str(place), folder_set(), capsys, "--seed", seed)
        held.append({told for place_, told in made.sources().items() if "/test/" in place_})
    assert held[0] == held[1] != held[2]


def test_own_names_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several folders of anomalous pictures, each with its masks."""
    files = folder_set("ok", "broken/crack", "truth/crack")
    files |= {f"apart/{number}.png": encoded(surface(40 + number)) for number in range(4)}
    files |= {"broken/dent/00.png": encoded(surface(50)), "truth/dent/00_mask.png": encoded(mask())}
    options = ["--normal", "ok", "--normal-test", "apart", "--category", "cable"]
    options += ["--abnormal", "broken/crack", "--abnormal", "broken/dent"]
    made = prepared(tmp_path, files, capsys, *options, "--masks", "truth/crack", "--masks", "truth/dent")
    assert (made.code, list(made.told()["categories"]), counts(made)) == (0, ["cable"], (10, 4, 4))


def test_masks_are_optional(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = prepared(tmp_path, folder_set(masks=""), capsys)
    assert (made.code, any("mask" in row for row in made.rows().values())) == (0, False)


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        (folder_set("fine"), [], "none of the folders normal, good is there; name yours with --normal. There are: def"),
        (folder_set(abnormal="off"), [], "name yours with --abnormal. There are: good, masks, off"),
        (folder_set(), ["--normal", "none"], "there is no folder none in "),
        (folder_set(), ["--normal", "/etc"], "there is no folder /etc in "),
        (folder_set(), ["--abnormal", "../source/defect"], "there is no folder ../source/defect in "),
        (folder_set(), ["--abnormal", "defect", "--abnormal", "good"], "one --masks for each --abnormal"),
        (folder_set(), ["--category", "a", "--category", "b"], "makes one category"),
        (folder_set(), ["--category", "über"], "a category's name must be of ASCII letters"),
        (folder_set() | {"masks/09.png": encoded(mask())}, [], "a mask belongs to no picture"),
        (folder_set(masks=""), ["--abnormal", "good"], "one picture is both to train on and anomalous"),
        ({path: raw for path, raw in folder_set().items() if path < "good/01"}, [], "no normal picture to test on"),
    ],
)
def test_is_refused_in_words(
    files: Files, options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = prepared(tmp_path, files, capsys, *options)
    assert (made.code, made.is_nothing()) == (1, True)
    assert words in made.err
