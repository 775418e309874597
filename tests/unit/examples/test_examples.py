"""The examples: they hold what a submission must, and the one without torch keeps the contract."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parents[3] / "examples"
EXPECTED = {"image_auc", "image_f1", "pixel_auc", "pixel_f1", "pixel_pro", "inference_time_ms", "vram_mb"}


BENCHMARKS = dict.fromkeys(["padim", "patchcore", "difference", "minimal"], "synthetic") | {
    "template": "textures", "local_statistics": "textures", "verified_padim": "textures", "digits": "digits",
}  # fmt: skip


@pytest.mark.parametrize(("name", "benchmark"), BENCHMARKS.items())
def test_can_be_submitted_as_it_is(name: str, benchmark: str) -> None:
    """Each has its entry point, a config that parses, and a page that says how to submit it; every module compiles."""
    folder = EXAMPLES / name
    assert isinstance(yaml.safe_load((folder / "config.yaml").read_text()), dict)
    assert f"leadersboard submit examples/{name} --benchmark {benchmark} --follow" in (folder / "README.md").read_text()
    assert (folder / "main.py").is_file()
    for path in folder.rglob("*.py"):
        compile(path.read_text(), path, "exec")


def test_each_program_in_public_style_is_on_their_page() -> None:
    """And no other; each compiles."""
    folder = EXAMPLES / "public_style"
    named = {path.name for path in folder.iterdir() if path.is_dir()}
    page = (folder / "README.md").read_text()
    assert {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")} == named
    for path in folder.rglob("*.py"):
        compile(path.read_text(), path, "exec")


def test_minimal_writes_what_the_board_expects(tmp_path: Path) -> None:
    """It ends well, with all metrics, each what constant scores earn, and leaves nothing but metrics.json."""
    metrics = run_minimal(tmp_path, good=4, flawed=12)["metrics"]
    assert set(metrics) == EXPECTED
    assert metrics["image_auc"] == metrics["pixel_auc"] == 0.5
    assert metrics["image_f1"] == pytest.approx(2 * 0.75 / 1.75)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["metrics.json"]


def test_minimal_says_what_it_is(tmp_path: Path) -> None:
    """Its params name the method and the benchmark, so that nobody takes it for a result."""
    params = run_minimal(tmp_path, good=1, flawed=1)["params"]
    assert params == {"method": "constant", "dataset": "tiny", "epochs": 0, "batch_size": 1}


def run_minimal(folder: Path, *, good: int, flawed: int) -> dict[str, dict[str, object]]:
    for kind, count in (("good", good), ("scratch", flawed)):
        (folder / "data" / "cloth" / "test" / kind).mkdir(parents=True)
        for index in range(count):
            (folder / "data" / "cloth" / "test" / kind / f"{index:03}.png").touch()
    job = {"job_id": "1", "benchmark": {"name": "tiny", "categories": ["cloth"]}, "overrides": {}, "device": "cpu"}
    (folder / "job.json").write_text(json.dumps(job))
    (folder / "out").mkdir()
    subprocess.run(
        [sys.executable, "main.py", "--config", "config.yaml", "--output", folder / "out"],
        cwd=EXAMPLES / "minimal",
        env={"LEADERSBOARD_JOB": str(folder / "job.json"), "LEADERSBOARD_DATA": str(folder / "data")},
        check=True,
        capture_output=True,
    )
    found: dict[str, dict[str, object]] = json.loads((folder / "out" / "metrics.json").read_text())
    return found
