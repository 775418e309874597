"""The copy of a few pictures: made once per version, whole, readable by any run, bounded."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from runner import trial_data
from runner.trial_data import NoTrial, TrialData
from tests.builders import benchmark

pytestmark = pytest.mark.unit

SYNTHETIC = benchmark(categories=["weave", "grain", "gear"])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for category in SYNTHETIC.categories:
        for place in ("train/good", "test/good"):
            (tmp_path / "public" / category / place).mkdir(parents=True)
            for number in range(20):
                (tmp_path / "public" / category / place / f"{number:03}.png").write_bytes(b"picture")
    return tmp_path / "public"


@pytest.fixture
def copies(tmp_path: Path) -> TrialData:
    (tmp_path / "jobs").mkdir()
    return TrialData(job_root=tmp_path / "jobs")


def test_the_copy_is_made_once_and_used_again(copies: TrialData, data: Path) -> None:
    """Two categories with the places of the whole; real copies, which any user can read."""
    found = copies.of(SYNTHETIC, data)
    assert (found.categories, found.files, found.files_of_all) == (("weave", "grain"), 40, 80)
    picture = found.path / "weave" / "train" / "good" / "015.png"
    assert picture.stat().st_nlink == 1
    assert (picture.stat().st_mode & 0o777, found.path.stat().st_mode & 0o777) == (0o644, 0o755)
    before = picture.stat().st_ino
    assert copies.of(SYNTHETIC, data).path == found.path
    assert picture.stat().st_ino == before


def test_another_version_of_the_benchmark_gets_another_copy(copies: TrialData, data: Path) -> None:
    """A changed picture, one more in front, or other categories; runs on the first copy keep it."""
    first = copies.of(SYNTHETIC, data).path
    (data / "weave" / "train" / "good" / "000.png").write_bytes(b"another picture")
    second = copies.of(SYNTHETIC, data).path
    assert (second / "weave" / "train" / "good" / "000.png").read_bytes() == b"another picture"
    third = copies.of(benchmark(categories=["gear"]), data).path
    assert len({first, second, third}) == 3
    assert (first / "weave" / "train" / "good" / "000.png").read_bytes() == b"picture"


def test_nothing_half_is_left_of_data_that_changes_meanwhile(
    copies: TrialData, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, then told in words."""
    copy = shutil.copyfile

    def changing(source: Path, target: Path, *, follow_symlinks: bool) -> None:
        copy(source, target, follow_symlinks=follow_symlinks)
        with source.open("ab") as file:
            file.write(b"!")

    monkeypatch.setattr(trial_data.shutil, "copyfile", changing)
    with pytest.raises(NoTrial, match="is incomplete, or being changed"):
        copies.of(SYNTHETIC, data)
    assert list((copies.job_root / trial_data.FOLDER).iterdir()) == []


def test_a_copy_by_another_runner_is_taken(copies: TrialData, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two at once one is kept; the other's half is gone."""
    renamed = Path.rename

    def second(self: Path, target: Path) -> Path:
        shutil.copytree(self, target)
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", second)
    found = copies.of(SYNTHETIC, data)
    assert [path.name for path in found.path.parent.iterdir()] == [found.path.name]


def test_links_are_not_followed(copies: TrialData, data: Path, tmp_path: Path) -> None:
    """Neither to files nor to folders: the sandbox would not follow them in the whole benchmark either."""
    (tmp_path / "secret").write_text("secret")
    (data / "weave" / "aaa.txt").symlink_to(tmp_path / "secret")
    (data / "weave" / "link").symlink_to(data / "gear")
    os.mkfifo(data / "weave" / "pipe")
    found = copies.of(SYNTHETIC, data)
    assert sorted(path.name for path in (found.path / "weave").iterdir()) == ["test", "train"]


def test_large_pictures_mean_fewer_of_them(copies: TrialData, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are bounded; where the least is too much, a trial is not possible and the sentence says what is."""
    monkeypatch.setattr(trial_data, "MOST_BYTES", 100)
    assert copies.of(SYNTHETIC, data).files == 10
    monkeypatch.setattr(trial_data, "MOST_BYTES", 10)
    with pytest.raises(NoTrial, match="its pictures are too large"):
        copies.of(SYNTHETIC, data)
    monkeypatch.setattr(trial_data, "MOST_FILES", 3)
    with pytest.raises(NoTrial, match="too many files"):
        copies.of(SYNTHETIC, data)


def test_a_benchmark_without_categories_is_cut_as_a_whole(copies: TrialData, data: Path) -> None:
    """Every folder keeps its place."""
    found = copies.of(benchmark(), data)
    assert found.categories == ()
    assert sorted(path.name for path in found.path.iterdir()) == ["gear", "grain", "weave"]
