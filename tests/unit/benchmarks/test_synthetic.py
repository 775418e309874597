"""The synthetic benchmark: its layout, its sameness, its masks, and what benchmark.yaml says about it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from benchmarks.synthetic import make, pictures
from core.adapters.files.benchmark_check import check_folder
from core.domain.benchmark import Benchmark

pytestmark = [pytest.mark.unit, pytest.mark.slow]

FOLDER = Path(make.__file__).parent
FLAWS = [(category, defect) for category, (_, defects) in pictures.CATEGORIES.items() for defect in defects]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark") / "public"
    assert make.make(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_has_the_layout_of_mvtec_ad(made: Path) -> None:
    """Every category has flawless training pictures, both kinds of tests, and a mask for each defective one."""
    for category, (_, defects) in pictures.CATEGORIES.items():
        assert len(list((made / category / "train" / "good").glob("[0-9][0-9][0-9].png"))) == make.TRAIN
        assert len(list((made / category / "test" / "good").glob("[0-9][0-9][0-9].png"))) == make.GOOD
        assert {path.name for path in (made / category / "train").iterdir()} == {"good"}
        assert {path.name for path in (made / category / "test").iterdir()} == {"good", *(d.__name__ for d in defects)}
        tests = {f"{p.parent.name}/{p.stem}_mask.png" for p in (made / category / "test").glob("[!g]*/*.png")}
        masks = {f"{p.parent.name}/{p.name}" for p in (made / category / "ground_truth").glob("*/*.png")}
        assert tests - {f"good/{n:03}_mask.png" for n in range(make.GOOD)} == masks


def test_pictures_are_small_rgb_and_masks_black_and_white(made: Path) -> None:
    """128 x 128 RGB pictures, masks of 0 and 255, and all of it under 15 MB."""
    for path in made.rglob("*.png"):
        with Image.open(path) as image:
            assert image.size == (128, 128)
            assert image.mode == ("L" if "ground_truth" in path.parts else "RGB")
            if image.mode == "L":
                assert set(np.unique(np.asarray(image))) == {0, 255}
    assert sum(len(content) for content in contents(made).values()) < 15_000_000


def test_nothing_is_wrong_with_it(made: Path, tmp_path: Path) -> None:
    """FLD-9: what is said of other benchmarks holds for this one."""
    folder = tmp_path / "synthetic"
    folder.mkdir()
    shutil.copy(FOLDER / "benchmark.yaml", folder)
    shutil.copytree(made, folder / "public")
    assert check_folder(folder).findings == []


def test_one_seed_is_one_set_of_bytes(made: Path, tmp_path: Path) -> None:
    """The same seed gives the same files to the byte; as a plain file outside the project too."""
    shutil.copy(FOLDER / "make.py", tmp_path)
    shutil.copy(FOLDER / "pictures.py", tmp_path)
    command = [sys.executable, "make.py", "--out", "again"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert contents(tmp_path / "again") == contents(made)


def test_another_seed_is_another_set() -> None:
    """With another seed every picture differs."""
    for category in pictures.CATEGORIES:
        one, _ = pictures.draw(category, "train/good", 0, seed=1)
        other, _ = pictures.draw(category, "train/good", 0, seed=2)
        assert (one != other).any()


def test_no_picture_comes_twice(made: Path) -> None:
    """No test picture is a training picture, and none is repeated."""
    seen = [path.read_bytes() for path in made.rglob("*.png") if "ground_truth" not in path.parts]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(("category", "defect"), FLAWS, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("strength", [1.0, 0.25])
@pytest.mark.parametrize("index", range(5))
def test_a_mask_is_what_the_defect_changed(category: str, defect: pictures.Defect, strength: float, index: int) -> None:
    """Outside its mask a defective picture is the flawless one to the bit; inside, most pixels differ from it."""
    name = f"test/{defect.__name__}"
    flawless, nothing = pictures.draw(category, name, index, seed=5)
    flawed, mask = pictures.draw(category, name, index, seed=5, defect=defect, strength=strength)
    changed = (flawed != flawless).any(axis=-1)
    assert not nothing.any()
    assert not changed[~mask].any()
    assert changed[mask].mean() > 0.5
    assert 3 <= mask.sum() < 0.2 * mask.size


@pytest.mark.parametrize(("category", "defect"), FLAWS, ids=lambda value: getattr(value, "__name__", value))
def test_a_strong_defect_shows_more_than_a_weak_one(category: str, defect: pictures.Defect) -> None:
    """Defects are graded: the sum of what they change grows with their strength."""

    def shown(strength: float) -> float:
        name = f"test/{defect.__name__}"
        pairs = [
            (
                pictures.draw(category, name, index, seed=5)[0],
                pictures.draw(category, name, index, seed=5, defect=defect, strength=strength)[0],
            )
            for index in range(5)
        ]
        return sum(float(np.abs(one.astype(int) - other).sum()) for one, other in pairs)

    assert shown(1.0) > 1.3 * shown(0.25)


def test_a_second_run_does_nothing(made: Path) -> None:
    """A set with the same version and seed is left alone, down to the times of its files."""
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    assert not make.make(made)
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_an_older_set_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set with another stamp is replaced, and no file of it remains; nothing stays beside it."""
    for count in ("TRAIN", "GOOD", "PER_DEFECT"):
        monkeypatch.setattr(make, count, 1)
    old = tmp_path / "public"
    make.make(old)
    new = contents(old)
    (old / "weave" / "left over.png").touch()
    stamp = json.loads((old / make.STAMP).read_text())
    (old / make.STAMP).write_text(json.dumps({**stamp, "version": 0}))
    assert make.make(old)
    assert contents(old) == new
    assert list(tmp_path.iterdir()) == [old]


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """Somebody's own pictures are never replaced."""
    (tmp_path / "mine.png").touch()
    with pytest.raises(FileExistsError, match="no synthetic set"):
        make.make(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.png"]


def test_a_run_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: an error in the middle leaves neither a half set nor the place where it was made."""

    def full(category: str, seed: int) -> None:
        raise OSError(28, f"no space left for {category} of {seed}")

    monkeypatch.setattr(make, "files", full)
    with pytest.raises(OSError, match="no space"):
        make.make(tmp_path / "public")
    assert not list(tmp_path.iterdir())


def test_benchmark_yaml_says_what_is_made() -> None:
    """benchmark.yaml parses, names the categories that are drawn, and ranks by a metric that it lists."""
    benchmark = Benchmark.model_validate(yaml.safe_load((FOLDER / "benchmark.yaml").read_text()))
    assert benchmark.name == FOLDER.name
    assert benchmark.categories == tuple(pictures.CATEGORIES)
    assert {metric.name for metric in benchmark.metrics} == {
        *("image_auc", "image_f1", "pixel_auc", "pixel_f1", "pixel_pro", "inference_time_ms", "vram_mb"),
    }
