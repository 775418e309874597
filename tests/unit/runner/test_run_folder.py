"""What two runners do with one run's folder, when one of them does not know that its time is over."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.domain.verdict import RunRecord
from runner.run_folder import RunFolder

pytestmark = pytest.mark.unit

RECORD = RunRecord(exit_code=0, out_of_memory=False, wall_seconds=1.0, metrics=None)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.make(tmp_path / "job-mark")


def read(folder: RunFolder, content: str) -> Path:
    artifacts = folder.fresh_artifacts()
    (artifacts / "a.txt").write_text(content)
    return artifacts


def test_a_reader_that_was_cut_off_leaves_nothing_behind(folder: RunFolder) -> None:
    """A disk that is full would otherwise be the fuller with each try."""
    read(folder, "half")
    folder.harvest(RECORD, read(folder, "whole"))
    assert sorted(path.name for path in folder.path.iterdir()) == ["artifacts", "config", "harvested"]
    assert (folder.artifacts / "a.txt").read_text() == "whole"


def test_a_slower_reader_cannot_change_what_its_successor_reads(folder: RunFolder) -> None:
    """Its files are gone at once, and its last word, whenever it comes, changes nothing."""
    slow = read(folder, "slow")
    successor = read(folder, "whole")
    with pytest.raises(FileNotFoundError):
        (slow / "b.txt").write_text("late")
    with pytest.raises(FileNotFoundError):
        folder.harvest(RECORD, slow)
    assert folder.harvested() is None
    folder.harvest(RECORD, successor)
    with pytest.raises(FileNotFoundError):
        folder.harvest(RECORD, slow)
    assert (folder.artifacts / "a.txt").read_text() == "whole"


def test_a_reader_that_died_before_its_last_word_is_read_again(folder: RunFolder) -> None:
    """Its artifacts had their name already."""
    read(folder, "earlier").replace(folder.artifacts)
    folder.harvest(RECORD, read(folder, "whole"))
    assert folder.harvested() == RECORD
    assert (folder.artifacts / "a.txt").read_text() == "whole"


def test_two_readers_may_write_their_last_word_at_once(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither takes the other's half-written file for its own."""
    monkeypatch.setattr(os, "fsync", lambda _file: monkeypatch.undo() or folder.harvest(RECORD, None))
    folder.harvest(RECORD, None)
    assert folder.harvested() == RECORD
    assert sorted(path.name for path in folder.path.iterdir()) == ["config", "harvested"]


def test_a_word_that_finds_the_disk_full_leaves_nothing(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written again and again, until there is room."""

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.harvest(RECORD, None)
    assert [path.name for path in folder.path.iterdir()] == ["config"]
