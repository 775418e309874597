"""A verified benchmark of a data set: labels apart, and nothing in what runs see that tells them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.adapters.files.benchmark_check import check_folder
from scorer.labels import read_labels
from tests.benchmark_sets import Files, encoded, good_set, mask, surface
from tests.unit.organiser.data_sets import NAME, Made, pixels, prepared

pytestmark = pytest.mark.unit

TEXT = PngInfo()
TEXT.add_text("label", "defect")
EXIF = Image.Exif()
EXIF[0x010F] = "camera of the defects"


def two_categories() -> Files:
    return good_set("weave") | {
        path: raw if "ground_truth" in path else encoded(surface(100 + place))
        for place, (path, raw) in enumerate(good_set("grain").items())
    }


@pytest.fixture
def made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Made:
    return prepared(tmp_path, two_categories(), capsys, "--seed", "4", "--title", "Two *surfaces*")


def test_runs_see_pictures_under_neutral_names(made: Made) -> None:
    """Every file of the data folder: pictures to train on, numbered pictures to test on, and the list of these.

    No picture to train on has the name of one to test on: a trial lists those that it has by their names.
    """
    assert made.code == 0
    files = sorted(path.relative_to(made.public).as_posix() for path in made.public.rglob("*") if path.is_file())
    numbers = {"grain": range(5), "weave": range(5, 10)}
    expected = [f"{name}/train/good/n{number:05}.png" for name in numbers for number in range(4)]
    expected += [f"{name}/test/{number:05}.png" for name, ids in numbers.items() for number in ids]
    assert files == sorted([*expected, "ids.json"])
    ids = json.loads((made.public / "ids.json").read_text())
    assert ids == {name: [f"{number:05}" for number in ids] for name, ids in numbers.items()}


def test_the_labels_are_those_of_the_sources(made: Made) -> None:
    """Each picture keeps its pixels, its label and its mask, whatever its new name; the scorer reads them."""
    source = made.root / "source"
    rows = made.rows()
    for place, told in made.sources().items():
        assert (pixels(made.public / place) == pixels(source / told)).all()
        if "/test/" in place:
            row = rows[Path(place).stem]
            assert row["anomalous"] is ("/test/dot/" in told)
            assert ("mask" in row) is row["anomalous"]
            if row["anomalous"]:
                truth = source / told.replace("/test/", "/ground_truth/").replace(".png", "_mask.png")
                assert (pixels(made.labels / row["mask"]) == pixels(truth)).all()
    labels = read_labels(made.labels)
    assert [(one.name, len(one.pictures), one.has_masks) for one in labels.categories] == [
        ("grain", 5, True),
        ("weave", 5, True),
    ]


def test_its_settings_ask_for_proof(made: Made) -> None:
    document = yaml.safe_load((made.output / "benchmark.yaml").read_text())
    assert (document["name"], document["title"], document["scoring"]) == (NAME, "Two *surfaces*", "verified")
    assert document["categories"] == ["grain", "weave"]
    names = [metric["name"] for metric in document["metrics"]]
    assert names[:3] == ["image_auc", "image_ap", "image_f1"]
    assert names[3:] == ["pixel_auc", "pixel_ap", "pixel_f1", "pixel_pro", "pixel_pro_05"]
    assert all((metric["minimum"], metric["maximum"]) == (0, 1) for metric in document["metrics"])


def test_the_check_of_benchmarks_finds_no_fault_in_its_data(made: Made) -> None:
    check = check_folder(made.output)
    assert [one for one in check.findings if one.path != "benchmark.yaml"] == []
    assert (check.pictures, check.unseen) == (18, "")


def test_the_order_tells_nothing_and_comes_from_the_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One seed gives the same files; another one another order; without one it is drawn, and kept with the labels."""
    files = {f"w/train/good/{number}.png": encoded(surface(number)) for number in range(2)}
    files |= {f"w/test/good/{number}.png": encoded(surface(10 + number)) for number in range(20)}
    files |= {f"w/test/dot/{number}.png": encoded(surface(50 + number)) for number in range(20)}
    orders = []
    for place, options in enumerate((["--seed", "1"], ["--seed", "1"], ["--seed", "2"], [], [])):
        made = prepared(tmp_path / str(place), files, capsys, *options)
        orders.append([row["anomalous"] for row in made.told()["categories"]["w"]])
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 4
    assert all(len(set(order[:20])) == 2 for order in orders)


def test_nothing_beside_pixels_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Texts, EXIF, colour profiles, palettes, kinds of files and their times, which could tell the label."""
    files = good_set()
    files["weave/test/dot/000.png"] = encoded(surface(20), pnginfo=TEXT, exif=EXIF, icc_profile=b"defects", dpi=(7, 7))
    files["weave/test/dot/001.png"] = encoded(surface(21).quantize(16))
    files["weave/test/good/000.png"] = encoded(surface(10).convert("L"))
    made = prepared(tmp_path, files, capsys)
    assert made.code == 0
    written = [path for folder in (made.output, made.labels) for path in folder.rglob("*")]
    assert {path.stat().st_mtime for path in written} == {946_684_800}
    for path in made.public.rglob("*.png"):
        raw = path.read_bytes()
        chunks = {raw[start + 4 : start + 8] for start in chunk_places(raw)}
        assert chunks == {b"IHDR", b"IDAT", b"IEND"}
        with Image.open(path) as image:
            assert image.mode == "RGB"


def chunk_places(raw: bytes) -> list[int]:
    places, place = [], 8
    while place < len(raw):
        places.append(place)
        place += 12 + int.from_bytes(raw[place : place + 4], "big")
    return places


def test_it_says_where_the_size_of_a_picture_tells_its_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = good_set()
    for number in range(3):
        files[f"weave/test/dot/{number:03}.png"] = encoded(surface(20 + number).resize((8, 8)))
        files[f"weave/ground_truth/dot/{number:03}_mask.png"] = encoded(mask(size=(8, 8)))
    made = prepared(tmp_path, files, capsys)
    assert (made.code, "the size of a picture alone tells" in made.out) == (0, True)
    assert "alone tells" not in prepared(tmp_path / "alike", good_set(), capsys).out


def test_without_masks_only_pictures_are_ranked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {path: raw for path, raw in good_set().items() if "ground_truth" not in path}
    made = prepared(tmp_path, files, capsys, "--map-size", "64x32")
    document = yaml.safe_load((made.output / "benchmark.yaml").read_text())
    assert [metric["name"] for metric in document["metrics"]] == ["image_auc", "image_ap", "image_f1"]
    assert read_labels(made.labels).map_size == (64, 32)
    assert not (made.labels / "masks").exists()
