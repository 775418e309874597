"""A folder of the site: its mark, the proof that it takes files, and looks that hang."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from core.adapters.files.bounded_look import BoundedLook
from core.adapters.files.folder_look import MARK, FolderLook
from core.adapters.files.site_folders import SiteFolders
from core.domain.errors import StorageFull, Unavailable
from core.domain.folders import FolderState
from tests.twins.folders import MemoryFolders

pytestmark = pytest.mark.unit


def look(folder: Path, known: MemoryFolders | None = None, **changes: Any) -> FolderLook:
    facts: dict[str, Any] = {"name": "logs", "owner": "h", "site": lambda: "site-1", "expected": lambda: False}
    return FolderLook(path=folder, known=known or MemoryFolders(), **(facts | changes))


def test_a_fresh_folder_is_marked_and_nothing_else_is_left(tmp_path: Path) -> None:
    """A fresh site starts by itself; the proof's file is gone afterwards."""
    assert look(tmp_path)().fault is None
    assert [path.name for path in tmp_path.iterdir()] == [MARK]
    assert look(tmp_path, expected=lambda: True)().fault is None


def test_a_folder_of_a_version_without_marks_is_used(tmp_path: Path) -> None:
    """Its files say that it is the one; the ledger has jobs."""
    (tmp_path / "some.log").touch()
    assert look(tmp_path, expected=lambda: True)().fault is None
    assert (tmp_path / MARK).exists()


def test_an_empty_folder_of_a_ledger_with_jobs_is_not_used(tmp_path: Path) -> None:
    """What processes make by themselves does not count as content; an empty mark of an admin's accepts it."""
    (tmp_path / ".staging").mkdir()
    (tmp_path / "lost+found").mkdir()
    fault = look(tmp_path, expected=lambda: True)().fault
    assert fault is not None
    assert "it is empty" in fault
    assert not (tmp_path / MARK).exists()
    (tmp_path / MARK).touch()
    assert look(tmp_path, expected=lambda: True)().fault is None
    assert b"site-1" in (tmp_path / MARK).read_bytes()


def test_a_folder_that_has_lost_its_mark_is_not_used(tmp_path: Path) -> None:
    """The file system that was mounted here is gone: whatever lies below its mount point is not the site's."""
    known = MemoryFolders()
    assert look(tmp_path, known)().fault is None
    (tmp_path / MARK).unlink()
    (tmp_path / "written meanwhile.log").touch()
    assert "Is its file system mounted?" in str(look(tmp_path, known)().fault)


def test_a_folder_is_foreign_from_the_moment_in_which_its_mark_is_gone(tmp_path: Path) -> None:
    """A look that is fresh, or under way, does not count; a folder that is only full or broken is the site's."""
    folders = SiteFolders([look(tmp_path)])
    assert not folders.is_foreign("logs")
    (tmp_path / MARK).unlink()
    assert folders.is_foreign("logs")
    assert not folders.is_foreign("jobs")
    assert not look(tmp_path / "nowhere")().foreign


def test_a_folder_of_another_site_is_not_used(tmp_path: Path) -> None:
    look(tmp_path)()
    assert "belongs to another site" in str(look(tmp_path, site=lambda: "site-2")().fault)


def test_a_damaged_mark_is_told(tmp_path: Path) -> None:
    (tmp_path / MARK).write_bytes(b"\xff{" * 100)
    assert "cannot be read" in str(look(tmp_path)().fault)


def test_a_ledger_that_is_away_says_nothing_of_a_folder(tmp_path: Path) -> None:
    """Also a marked one: without Redis its own check says so."""

    def away() -> str:
        raise Unavailable("Redis")

    assert look(tmp_path, site=away)().fault is None
    look(tmp_path)()
    assert look(tmp_path, site=away)().fault is None


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_takes_no_file_has_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """In the system's own words; only a want of space counts as full."""

    def refuse(_file: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    (tmp_path / MARK).write_text('{"site": "site-1"}')
    state = look(tmp_path)()
    assert (state.fault, state.full) == (os.strerror(number), number == errno.ENOSPC)
    assert [path.name for path in tmp_path.iterdir()] == [MARK]


def test_a_folder_that_is_not_there_has_a_fault(tmp_path: Path) -> None:
    state = look(tmp_path / "gone")()
    assert state.words == f"logs ({tmp_path / 'gone'}): No such file or directory"


def test_a_look_that_hangs_is_waited_for_once_and_not_repeated() -> None:
    """One thread hangs, however many ask; the answer comes within the patience, then at once; it recovers by itself."""
    let_go, looks, moments = threading.Event(), [], [0.0]

    def hang() -> str:
        looks.append(1)
        let_go.wait(20)
        return "seen"

    bounded = BoundedLook(look=hang, patience_seconds=0.05, clock=lambda: moments[0])
    for _ask in range(5):
        bounded.begin()
        moments[0] += 7
        assert isinstance(bounded.answer(), float)
    let_go.set()
    while bounded.answer() != "seen":
        threading.Event().wait(0.01)
    assert len(looks) == 1


def test_users_are_told_which_folder_and_why() -> None:
    """A full disk is 507, any other fault 503; a folder that this process does not have is not asked."""

    def folders(**facts: Any) -> SiteFolders:
        state = FolderState(name="submissions", path="/s", **facts)
        fixed: Any = type("Fixed", (), {"name": "submissions", "path": Path("/s"), "__call__": lambda _self: state})()
        return SiteFolders([fixed])

    folders().check("submissions", "elsewhere")
    with pytest.raises(StorageFull):
        folders(fault="No space left on device", full=True).check("submissions")
    with pytest.raises(Unavailable, match=r"The storage \(submissions\) does not answer: Read-only file system"):
        folders(fault="Read-only file system").check("submissions")
    assert folders(fault="Stale file handle").fault() == "submissions (/s): Stale file handle"
