"""Which files of a benchmark a trial gets."""

from __future__ import annotations

import pytest

from core.domain.trial import few_of, tried_categories

pytestmark = pytest.mark.unit


def pictures(place: str, count: int, suffix: str = ".png") -> list[str]:
    return [f"{place}/{number:03}{suffix}" for number in range(count)]


WHOLE = [
    *pictures("weave/train/good", 40),
    *pictures("weave/test/good", 9),
    *pictures("weave/test/tear", 9),
    *pictures("weave/ground_truth/tear", 9, "_mask.png"),
    "weave/license.txt",
    "readme.txt",
]


def test_a_few_of_each_kind_in_their_places() -> None:
    """Sixteen to train on, four good ones to test, two of each defect with their masks; texts beside them stay."""
    found = few_of(WHOLE)
    counts = {
        place: sum(path.startswith(f"weave/{place}/") for path in found)
        for place in ("train/good", "test/good", "test/tear", "ground_truth/tear")
    }
    assert counts == {"train/good": 16, "test/good": 4, "test/tear": 2, "ground_truth/tear": 2}
    assert {"weave/license.txt", "readme.txt"} <= set(found)


def test_masks_are_those_of_the_chosen_pictures() -> None:
    """Not the first masks: a picture without a mask, or a superfluous mask, shifts no pair."""
    whole = [*pictures("w/test/tear", 3), "w/ground_truth/tear/001_mask.png", "w/ground_truth/tear/002_mask.png"]
    whole += ["w/ground_truth/cut/000_mask.png", "w/ground_truth/tear/000.txt"]
    assert few_of(whole) == [
        "w/ground_truth/tear/000.txt",
        "w/ground_truth/tear/001_mask.png",
        "w/test/tear/000.png",
        "w/test/tear/001.png",
    ]


def test_less_is_taken_of_large_pictures_but_never_nothing() -> None:
    """A share of each number; a folder never becomes empty."""
    found = few_of(WHOLE, 0.125)
    assert sum("train" in path for path in found) == 2
    assert sum("test" in path for path in found) == 2


def test_a_benchmark_without_that_layout_is_cut_folder_by_folder() -> None:
    """Two files of each folder."""
    assert few_of([*pictures("a/b", 5), *pictures("c", 5)]) == ["a/b/000.png", "a/b/001.png", "c/000.png", "c/001.png"]


def test_at_most_two_categories() -> None:
    """The first ones; a benchmark without categories has none."""
    assert tried_categories(["weave", "grain", "gear"]) == ("weave", "grain")
    assert tried_categories([]) == ()
