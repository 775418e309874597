"""What two runners do with one run's folder, when one of them does not know that its time is over."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.verdict import RunRecord
from runner import run_folder
from runner.run_folder import RunFolder

pytestmark = pytest.mark.unit

RECORD = RunRecord(exit_code=0, out_of_memory=False, wall_seconds=1.0, metrics=None)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.make(tmp_path / "job-mark")


def files_of(folder: RunFolder) -> dict[str, str]:
    assert folder.artifacts is not None
    return {path.name: path.read_text() for path in folder.artifacts.iterdir()}


def test_a_reader_that_breaks_off_leaves_nothing(folder: RunFolder) -> None:
    """A disk that is full would otherwise be the fuller with each try."""
    with pytest.raises(IsADirectoryError), folder.fresh_artifacts() as artifacts:
        artifacts.write_text("breaks off")
    assert [path.name for path in folder.path.iterdir()] == ["config"]


def test_of_two_readers_the_first_has_the_last_word(folder: RunFolder) -> None:
    """Neither is in the other's way, and what the second one says changes nothing: it learns what holds."""
    with folder.fresh_artifacts() as slow, folder.fresh_artifacts() as quick:
        (slow / "a.txt").write_text("slow")
        (quick / "a.txt").write_text("quick")
        assert folder.harvest(RECORD, quick) == RECORD
        (slow / "b.txt").write_text("late")
        assert folder.harvest(replace(RECORD, exit_code=9), slow) == RECORD
    assert files_of(folder) == {"a.txt": "quick"}
    assert not slow.exists()


def test_a_reader_that_was_killed_is_in_nobodys_way(folder: RunFolder) -> None:
    """What it had come to stays where it is, and counts for nothing."""
    killed = folder.path / "artifacts.0123abcd"
    killed.mkdir()
    (killed / "a.txt").write_text("half")
    with folder.fresh_artifacts() as artifacts:
        (artifacts / "b.txt").write_text("whole")
        folder.harvest(RECORD, artifacts)
    assert files_of(folder) == {"b.txt": "whole"}


def test_what_an_earlier_version_had_read_is_found(folder: RunFolder) -> None:
    """An upgrade between a harvest and its recording: then the folder had a name of its own."""
    (folder.path / "artifacts").mkdir()
    (folder.path / "artifacts" / "a.txt").write_text("whole")
    folder.harvest(RECORD, None)
    text = (folder.path / "harvested").read_text()
    (folder.path / "harvested").write_text(text.replace(',"artifacts":null', ""))
    assert files_of(folder) == {"a.txt": "whole"}


def test_a_field_that_an_earlier_version_had_is_left_out(folder: RunFolder) -> None:
    """An upgrade between the end of a run and its harvest: `interrupted` was never true in a record."""
    folder.end(RECORD)
    text = (folder.path / "ended").read_text()
    (folder.path / "ended").write_text(text.replace('"wall_seconds"', '"interrupted":false,"wall_seconds"'))
    assert "interrupted" in (folder.path / "ended").read_text()
    assert folder.ended() == RECORD


def test_storage_that_knows_no_links_keeps_the_last_word(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """There two readers at once are rare, and one that cannot write at all would never end."""

    def no_links(*_paths: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    assert folder.harvest(RECORD, None) == RECORD
    assert sorted(path.name for path in folder.path.iterdir()) == ["config", "harvested"]


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


def test_a_programs_time_counts_from_its_start(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it has started, or where an older version noted no time, from when its container was made."""
    clock = [100.0]
    monkeypatch.setattr(run_folder, "_boot_seconds", lambda: clock[0])
    folder.begin()
    clock[0] = 130.0
    assert (folder.elapsed_seconds(), folder.program_seconds()) == (30.0, 30.0)
    folder.start()
    clock[0] = 135.0
    assert (folder.elapsed_seconds(), folder.program_seconds()) == (35.0, 5.0)
    (folder.path / "started").write_bytes(b"")
    assert folder.started
    assert folder.program_seconds() == 35.0
