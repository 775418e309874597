"""What of a try on one's own machine needs no engine: which files go into it, and why it cannot begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import try_here
from runner.own_files import copied
from tests.builders import write_benchmark

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("main.py", "src/model.py", ".git/config", "__pycache__/main.pyc", "env/pyvenv.cfg", "env/lib/x.py"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("print()")
    return tmp_path / "mine"


def test_what_an_upload_leaves_out_is_left_out(folder: Path, tmp_path: Path) -> None:
    """Hidden files, caches and virtual environments; the user's own folder is not touched."""
    copy = copied(folder, tmp_path / "copy", entrypoint="main.py")
    assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()) == [
        "main.py",
        "src/model.py",
    ]
    assert (folder / ".git" / "config").exists()


def refusal(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What is said where nothing could be tried; nothing is left."""
    benchmark = write_benchmark(tmp_path / "benchmarks").parent
    (tmp_path / "work").mkdir()
    assert try_here.main([str(folder), str(benchmark), "--work", str(tmp_path / "work"), *more]) == 2
    assert list((tmp_path / "work").iterdir()) == []
    return capsys.readouterr().out


def test_a_missing_program_is_told_before_anything_runs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the option that names another."""
    said = refusal(folder, tmp_path, capsys, "--entrypoint", "train.py")
    assert "has no train.py; name the program with --entrypoint" in said


def test_a_missing_engine_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its address, and what to do."""
    said = refusal(folder, tmp_path, capsys, "--engine", "unix:///nowhere.sock")
    assert "There is no Docker engine at unix:///nowhere.sock. Start Docker" in said


def test_a_folder_without_benchmark_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file that was looked for."""
    assert try_here.main([str(folder), str(tmp_path)]) == 2
    assert "benchmark.yaml" in capsys.readouterr().out
