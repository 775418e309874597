"""A submission tried on a machine without a board: the real image and walls, the board's judgement, nothing left."""

from __future__ import annotations

import shutil
from pathlib import Path

import docker
import pytest

from benchmarks.synthetic.make import make
from runner import try_here
from tests.conftest import REPOSITORY, service
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker


@pytest.fixture
def benchmark(engine_folder: Path) -> Path:
    folder = engine_folder / "synthetic"
    folder.mkdir()
    shutil.copy(REPOSITORY / "benchmarks" / "synthetic" / "benchmark.yaml", folder)
    make(folder / "public")
    return folder


def tried(folder: Path, benchmark: Path, image: str, *more: str) -> int:
    engine = ["--engine", service("LEADERSBOARD_TEST_ENGINE"), "--image", image, "--work", str(benchmark.parent)]
    return try_here.main([str(folder), str(benchmark), *engine, *more])


def test_an_example_is_tried_on_a_few_pictures(
    benchmark: Path, image: str, inner: docker.DockerClient, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Its output comes as it is printed; the end says what would be ranked; its files are kept where asked for."""
    code = tried(REPOSITORY / "examples" / "minimal", benchmark, image, "--into", str(tmp_path / "out"))
    said = capfdbinary.readouterr().out.decode()
    assert code == 0, said
    assert "> 73 of 185 files of weave, grain\n" in said
    assert "weave {'image_auc': 0.5" in said
    assert "gear" not in said
    assert "> Would be ranked on synthetic with image_auc 0.5." in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["metrics.json"]
    left = inner.containers.list(all=True, filters={"label": "leadersboard.site=try-here"})
    assert left == []
    assert not inner.volumes.list(filters={"label": "leadersboard.site=try-here"})
    assert sorted(path.name for path in benchmark.parent.iterdir()) == ["synthetic"]


BAD = {
    "open('/data/weave/x', 'w')": "Failed (exit): The program ended with exit code 1.",
    GOOD.replace("0.5", "93.1"): "Would not be ranked on synthetic: image_auc 93.1 is out of 0..1",
    "print('done')": "Failed (no_metrics)",
}


@pytest.mark.parametrize("program", BAD)
def test_what_would_fail_there_fails_here(
    benchmark: Path, image: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], program: str
) -> None:
    """The walls and the rules are the board's; private folders of the user's are readable inside all the same."""
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o700)
    (folder / "main.py").write_text(program)
    (folder / "main.py").chmod(0o600)
    assert tried(folder, benchmark, image) == 1
    assert BAD[program] in capfdbinary.readouterr().out.decode()


def test_the_minute_of_a_trial_holds_here(
    benchmark: Path,
    image: str,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the sentence of a trial."""
    monkeypatch.setattr(try_here, "TRIAL_SECONDS", 1)
    (tmp_path / "main.py").write_text("import time; time.sleep(300)")
    assert tried(tmp_path, benchmark, image) == 1
    assert "The trial was stopped after 1 s" in capfdbinary.readouterr().out.decode()
