"""The benchmark `textures`: neutral names, masks that fit to the bit, and labels that its scorer takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from benchmarks.textures import make, pictures
from core.adapters.files.benchmark_check import check_folder
from core.domain.benchmark import Benchmark
from organiser.command import main as organise
from scorer.labels import read_labels

pytestmark = [pytest.mark.unit, pytest.mark.slow]

FOLDER = Path(make.__file__).parent
PER_CATEGORY = make.GOOD + make.PER_DEFECT * len(pictures.DEFECTS)


def invented(seed: int) -> pictures.Field:
    """A photograph that no package needs to bring."""
    return np.random.default_rng(seed).uniform(60, 190, (400, 400))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("made"), seed=1)


def written(root: Path, seed: int) -> Path:
    """The set, as a benchmark's folder and a folder of labels below `root`."""
    (root / "textures" / "public").mkdir(parents=True)
    (root / "labels").mkdir()
    photographs = {name: invented(place) for place, name in enumerate(pictures.PHOTOGRAPHS)}
    with pytest.MonkeyPatch.context() as fewer:
        fewer.setattr(make, "TRAIN", 3)
        make.write(root / "textures" / "public", root / "labels", photographs, seed)
    (root / "textures" / "benchmark.yaml").write_text((FOLDER / "benchmark.yaml").read_text())
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_its_settings_are_those_of_its_data(made: Path) -> None:
    document = yaml.safe_load((FOLDER / "benchmark.yaml").read_text())
    assert document.pop("scoring") == "verified"
    assert Benchmark.model_validate(document).categories == tuple(pictures.PHOTOGRAPHS)
    assert [one for one in check_folder(made / "textures").findings if one.path != "benchmark.yaml"] == []


def test_perfect_predictions_get_one_everywhere(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert organise(["check", str(made / "textures"), "--labels", str(made / "labels")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith(("image_", "pixel_"))]
    assert (len(rows), {row[2] for row in rows}) == (8, {"1.0000"})


def test_names_and_times_tell_nothing(made: Path) -> None:
    """Ids count through all categories, and normal and anomalous pictures lie in no order."""
    ids = json.loads((made / "textures" / "public" / "ids.json").read_text())
    assert [one for of in ids.values() for one in of] == [f"{number:05}" for number in range(3 * PER_CATEGORY)]
    for category in read_labels(made / "labels").categories:
        kinds = [picture.is_anomalous for picture in category.pictures]
        assert len(set(kinds[: PER_CATEGORY // 2])) == len(set(kinds[PER_CATEGORY // 2 :])) == 2
    assert {path.stat().st_mtime for path in made.glob("*/public/**/*.png")} == {make.MADE_AT}


@pytest.mark.parametrize("defect", pictures.DEFECTS, ids=lambda defect: str(defect.__name__))
def test_a_defect_changes_its_mask_and_nothing_else(defect: pictures.Defect) -> None:
    """Of every strength; it changes some of it."""
    strip = invented(9)[:, :200]
    for seed, strength in enumerate(np.linspace(make.STRONGEST, make.WEAKEST, make.PER_DEFECT)):
        flawless, nothing = pictures.draw(strip, np.random.default_rng(seed), None, 0)
        flawed, mask = pictures.draw(strip, np.random.default_rng(seed), defect, float(strength))
        inside, changed = np.asarray(mask) > 0, np.asarray(flawed) != np.asarray(flawless)
        assert not np.asarray(nothing).any()
        assert set(np.unique(np.asarray(mask))) == {0, 255}
        assert not changed[~inside].any()
        assert changed[inside].mean() > 0.3


def test_pictures_to_train_on_and_to_test_on_share_no_pixel() -> None:
    train, test = pictures.strips(np.arange(400.0 * 400).reshape(400, 400))
    assert not np.isin(test, train).any()
    assert min(train.shape[1], test.shape[1]) >= pictures.SIZE


def test_the_seed_decides(tmp_path: Path, made: Path) -> None:
    assert contents(written(tmp_path / "same", seed=1)) == contents(made)
    assert contents(written(tmp_path / "other", seed=2)) != contents(made)


def test_another_photograph_is_refused(tmp_path: Path) -> None:
    """So that every installation has the same pictures."""
    Image.fromarray(np.zeros((512, 512), np.uint8)).save(tmp_path / "brick.png")
    with pytest.raises(SystemExit, match="another picture than that"):
        pictures.photograph(tmp_path, "brick")
