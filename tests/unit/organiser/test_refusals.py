"""What makes no benchmark is refused in words, all at once, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from organiser.command import main
from tests.benchmark_sets import HEIGHT, WIDTH, Files, encoded, good_set, mask, surface
from tests.unit.organiser.data_sets import NAME, prepared, written

pytestmark = pytest.mark.unit

GOOD = good_set()
TRAIN, TEST, DOT = "weave/train/good", "weave/test/good", "weave/test/dot"
MASK = "weave/ground_truth/dot/001_mask.png"
TURNED = Image.Exif()
TURNED[0x0112] = 6
SOFT = Image.fromarray(np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint8))


def without(part: str) -> Files:
    return {path: raw for path, raw in GOOD.items() if part not in path}


def renamed(old: str, new: str) -> Files:
    return {path.replace(old, new): raw for path, raw in GOOD.items()}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (without(DOT) | {f"{DOT}/.DS_Store": b""}, "no anomalous picture to test on"),
        (without("weave/test"), "no anomalous picture to test on"),
        (without(TEST), "no normal picture to test on"),
        (without(TRAIN) | {f"{TRAIN}/Thumbs.db": b""}, "no normal pictures to train on"),
        (GOOD | {MASK: encoded(mask(size=(8, 8)))}, "a mask has 8 x 8 pixels, and its picture 16 x 24"),
        (GOOD | {MASK: encoded(mask(0))}, "a mask is empty"),
        (GOOD | {MASK: encoded(Image.new("L", (WIDTH, HEIGHT), 255))}, "a mask marks every pixel"),
        (GOOD | {MASK: encoded(SOFT)}, "a mask has soft edges"),
        (GOOD | {MASK: encoded(mask(), "JPEG")}, "a mask is a JPEG"),
        (GOOD | {MASK: b"no picture"}, "a mask is no PNG"),
        (without("001_mask"), "an anomalous picture has no mask, and others"),
        (GOOD | {MASK.replace("001", "009"): encoded(mask())}, "a mask belongs to no picture"),
        (GOOD | {"weave/ground_truth/crack/000_mask.png": encoded(mask())}, "there are masks, and no such folder"),
        (GOOD | {"weave/ground_truth/good/000_mask.png": encoded(mask())}, "a mask belongs to a normal picture"),
        (GOOD | {f"{DOT}/001.png": GOOD[f"{DOT}/001.png"][:-40]}, "a picture is damaged or cut off"),
        (GOOD | {f"{TRAIN}/001.png": b""}, "a picture is no PNG"),
        (GOOD | {f"{TRAIN}/001.png": encoded(surface(1), exif=TURNED)}, "a picture is turned by its EXIF"),
        (
            GOOD | {f"{TRAIN}/001.png": encoded(Image.fromarray(np.ones((4, 4), np.uint16)))},
            "a picture has 16 bits per channel",
        ),
        (GOOD | {f"{TEST}/readme.txt": b""}, "it lies among pictures and is none"),
        (GOOD | {f"{TEST}/more/000.png": encoded(surface(7))}, "it lies among pictures and is none"),
        (GOOD | {"weave/train/bad/000.png": encoded(surface(7))}, "it lies beside train/good"),
        (GOOD | {f"{DOT}/000.PNG": encoded(surface(7))}, "two names in a folder differ only in upper and lower case"),
        (GOOD | {f"{DOT}/000.jpg": encoded(surface(7), "JPEG")}, "two pictures of a folder have one name"),
        (GOOD | {"weave/ground_truth/dot/001.png": encoded(mask())}, "two masks of a folder have one name"),
        (GOOD | renamed("weave/", "Weave/"), "the names of two categories differ only in upper and lower case"),
        (renamed("weave/", "織物/"), "a category's name must be of ASCII letters"),
        (GOOD | {f"{DOT}/001.png": GOOD[f"{TEST}/001.png"]}, "; remove one: weave/test/"),
        (GOOD | {f"{TEST}/001.png": GOOD[f"{TRAIN}/001.png"]}, "one picture is both to train on and normal"),
    ],
)  # fmt: skip
def test_is_refused_in_words(files: Files, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = prepared(tmp_path, files, capsys, "--layout", "mvtec")
    assert (made.code, made.is_nothing()) == (1, True)
    assert words in made.err
    assert made.err.endswith("Nothing was made. Mend this and start it again.\n")


def test_all_faults_are_told_at_once_and_names_do_nothing_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {f"{TRAIN}/\x1b[31m{number}.png": b"" for number in range(7)}
    made = prepared(tmp_path, GOOD | bad | {MASK: encoded(mask(0))}, capsys)
    assert "and 2 more" in made.err
    assert "a mask is empty" in made.err
    assert "\x1b" not in made.err
    assert made.is_nothing()


@pytest.mark.parametrize(
    "place", [f"{TRAIN}/009.png", f"{DOT}/009.png", "weave/test/spot", "weave/ground_truth", "jute"]
)
def test_links_are_refused_wherever_they_lie(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing behind them is read."""
    outside = written(tmp_path / "outside", {"000.png": encoded(surface(9)), "train/good/0.png": encoded(surface(8))})
    source = written(tmp_path / "source", without("ground_truth") if place == "weave/ground_truth" else GOOD)
    (source / place).symlink_to(outside / "000.png" if place.endswith(".png") else outside)
    made = prepared(tmp_path, {}, capsys, "--layout", "mvtec")
    assert (made.code, "it is a link" in made.err, made.is_nothing()) == (1, True, True)


def fill(path: Path) -> None:
    written(path, {"kept": b"1"})


@pytest.mark.parametrize(
    ("arrange", "options", "words"),
    [
        (lambda root: fill(root / "benchmarks" / NAME), [], "is not empty"),
        (lambda root: fill(root / "labels" / NAME), [], "is not empty"),
        (lambda root: None, ["--output", "{root}/other"], "must end in the benchmark's name"),
        (lambda root: None, ["--labels", f"{{root}}/benchmarks/{NAME}/{NAME}"], "must not lie in each other"),
        (lambda root: None, ["--labels", f"{{root}}/source/{NAME}"], "lies in the source"),
        (lambda root: None, ["--name", "../x"], "must begin with a small letter"),
        (lambda root: None, ["--title", "a\x1b[31m"], "visible characters"),
        (lambda root: None, ["--title", "a" * 201], "at most 200"),
        (lambda root: None, ["--map-size", "0x5"], "WIDTHxHEIGHT"),
        (lambda root: None, ["--map-size", "99999x99999"], "WIDTHxHEIGHT"),
        (lambda root: None, ["--category", "wave"], "there is no such category; there are weave: wave"),
        (lambda root: None, ["--normal", "good"], "are for --layout folder; this is mvtec"),
    ],
)
def test_wrong_places_and_options_are_refused_before_anything_is_read(
    arrange: Callable[[Path], None],
    options: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What lies there stays."""
    arrange(tmp_path)
    kept = {path for path in tmp_path.rglob("*") if path.is_file()}
    made = prepared(tmp_path, GOOD, capsys, *(option.replace("{root}", str(tmp_path)) for option in options))
    assert (made.code, words in made.err) == (1, True)
    left = {path for path in tmp_path.rglob("*") if path.is_file() and tmp_path / "source" not in path.parents}
    assert left == kept


def test_a_source_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--output", str(tmp_path / "a" / NAME), "--labels", str(tmp_path / "b" / NAME)]
    assert main(["prepare", str(tmp_path / "none"), "--name", NAME, *places]) == 1
    assert "is no folder" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _raw: bytes) -> int:
        raise OSError(28, "No space left on device")

    written(tmp_path / "source", GOOD)
    monkeypatch.setattr(Path, "write_bytes", full)
    made = prepared(tmp_path, {}, capsys)
    assert (made.code, "No space left on device" in made.err, made.is_nothing()) == (1, True, True)
