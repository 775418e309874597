"""Lists of a run's files: curves, maps and logs first, and a cut list has some of each (FLD-7)."""

from __future__ import annotations

import random

import pytest

from core.domain.artifact_order import chosen, ordered

pytestmark = pytest.mark.unit

MAPS = [f"anomaly_maps/bottle/broken/{number:04}.png" for number in range(1725)]


def test_curves_come_first_then_maps_logs_and_the_rest() -> None:
    files = ["weights.pt", "logs/job.log", "z/maps/1.png", "curves/roc.png", "overview.png", "train.log", "notes.txt"]
    assert ordered(files) == [
        "curves/roc.png", "overview.png", "z/maps/1.png", "logs/job.log", "train.log", "notes.txt", "weights.pt",
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["anomaly_maps/bottle/broken/", "", "roc_"])
def test_many_maps_hide_no_curve_and_no_log(place: str) -> None:
    """Also where all lie at the top level, or a curve's name is part of each map's."""
    maps = [f"{place}{number:04}.png" for number in range(1725)]
    few = ["roc.png", "curves/pr.png", "precision.png", "logs/job.log", "model.ckpt"]
    found = chosen([*maps, *few], 1000)
    assert len(found) == 1000
    assert set(few) <= set(found)
    assert found[:2] == ["curves/pr.png", "roc.png"]


def test_the_choice_does_not_depend_on_the_order_of_the_files() -> None:
    files = [*MAPS, *(f"notes/{number}.txt" for number in range(500)), "roc.png"]
    shuffled = random.Random(1).sample(files, len(files))
    assert chosen(shuffled, 1000) == chosen(files, 1000)
    assert chosen(MAPS, 3) == MAPS[:3]
    assert chosen(files, 10_000) == ordered(files)


@pytest.mark.parametrize("most", [0, 1, 7, 1000])
def test_a_cut_list_is_full(most: int) -> None:
    """What one kind does not need goes to the others."""
    only_texts = [f"{number}.txt" for number in range(1200)]
    assert len(chosen(only_texts, most)) == most
    assert len(chosen([*only_texts, *MAPS], most)) == most
