"""Folders whose file system comes and goes: nothing that is only away is told to be missing, nothing goes elsewhere."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from core.adapters.files.folder_look import FolderLook
from core.adapters.files.old_files import OldFiles
from core.adapters.files.site_folders import SiteFolders
from core.adapters.files.storage import FilesystemStorage
from core.domain.errors import NotFound, Unavailable
from core.domain.limits import UploadLimits
from core.domain.submission import Upload, UploadedFile
from tests.twins.folders import MemoryFolders

pytestmark = pytest.mark.unit

JOB = "a" * 32


class Mount:
    """A folder that is unmounted and mounted again: what is below its mount point is another, empty folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.aside = path, path.with_suffix(".aside")

    def unmount(self) -> None:
        """As with `umount --lazy`: what is open stays open."""
        self.path.rename(self.aside)
        self.path.mkdir()

    def mount(self) -> None:
        self.path.rmdir()
        self.aside.rename(self.path)


class Site:
    """A storage with one submission and one log, whose folders were looked at a moment ago."""

    def __init__(self, root: Path) -> None:
        self.mounts = {name: Mount(root / name) for name in ("submissions", "logs")}
        for mount in self.mounts.values():
            mount.path.mkdir()
        look = partial(FolderLook, owner="h", site=lambda: "site-1", known=MemoryFolders(), expected=lambda: True)
        (root / "logs" / f"{JOB}.log").write_text("one\n")
        (root / "submissions" / "older").mkdir()
        self.folders = SiteFolders([look(name=name, path=mount.path) for name, mount in self.mounts.items()])
        self.storage = FilesystemStorage(
            upload_root=root / "submissions", log_root=root / "logs", limits=UploadLimits(), min_free_bytes=0,
            folders=self.folders,
        )  # fmt: skip
        upload = Upload(user_id="ann", files=[UploadedFile(name="main.py", content=io.BytesIO(b"print(1)"))])
        self.submission_id = self.storage.create_submission(upload, {}).submission_id
        assert [state.fault for state in self.folders.states(anew=True)] == [None, None]

    def reads(self) -> dict[str, Callable[[], object]]:
        return {
            "submission": lambda: self.storage.get_submission(self.submission_id).user_id,
            "files": lambda: self.storage.submission_files(self.submission_id).name,
            "list": lambda: [one.submission_id for one in self.storage.list_submissions().submissions],
            "log": lambda: self.storage.read_log(JOB).text,
            "log from": lambda: self.storage.read_log_from(JOB, 0).text,
        }


READS = ("submission", "files", "list", "log", "log from")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("read", READS)
def test_what_has_just_been_unmounted_is_away_and_not_missing(site: Site, read: str) -> None:
    """However fresh the last look is."""
    there = site.reads()[read]()
    for mount in site.mounts.values():
        mount.unmount()
    with pytest.raises(Unavailable, match="mounted"):
        site.reads()[read]()
    for mount in site.mounts.values():
        mount.mount()
    assert site.reads()[read]() == there


@pytest.mark.parametrize("read", READS)
def test_what_comes_back_as_a_look_begins_is_read(site: Site, read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As seen: the read missed it, the look that followed found the folder, and a job was refused with 404."""
    there = site.reads()[read]()
    for mount in site.mounts.values():
        mount.unmount()
    away, usage = list(site.mounts.values()), shutil.disk_usage

    def come_back(path: Path) -> object:
        while away:
            away.pop().mount()
        return usage(path)

    monkeypatch.setattr(shutil, "disk_usage", come_back)
    assert site.reads()[read]() == there


def test_what_is_missing_in_a_mounted_folder_is_missing(site: Site) -> None:
    with pytest.raises(NotFound):
        site.storage.get_submission("f" * 32)
    with pytest.raises(NotFound):
        site.storage.submission_files("f" * 32)
    assert site.storage.read_log("f" * 32).text == ""


def test_without_its_folder_nothing_is_missing(site: Site) -> None:
    """A mount point that is gone, too."""
    site.mounts["submissions"].path.rename(site.mounts["submissions"].aside)
    with pytest.raises(Unavailable):
        site.storage.get_submission(site.submission_id)


class UnmountedAtRead(io.BytesIO):
    """An upload during which the folder of submissions is unmounted, once."""

    def __init__(self, content: bytes, mount: Mount) -> None:
        super().__init__(content)
        self._mount: Mount | None = mount

    def read(self, size: int | None = -1, /) -> bytes:
        if self._mount:
            self._mount.unmount()
            self._mount = None
        return super().read(size)


def test_an_upload_during_which_its_folder_vanishes_is_there_with_it_again(site: Site) -> None:
    """As seen: it was accepted into the empty folder below the mount point, and missing once that was mounted over."""
    mount = site.mounts["submissions"]
    file = UploadedFile(name="main.py", content=UnmountedAtRead(b"print(2)", mount))
    accepted = site.storage.create_submission(Upload(user_id="ann", files=[file]), {}).submission_id
    assert list(mount.path.iterdir()) == []
    mount.mount()
    assert site.storage.get_submission(accepted).user_id == "ann"
    assert (site.storage.submission_files(accepted) / "main.py").read_bytes() == b"print(2)"
    assert accepted in [one.submission_id for one in site.storage.list_submissions().submissions]


def test_retention_removes_nothing_from_a_folder_that_is_away(site: Site) -> None:
    """It does not take what it cannot see for what another process removed."""
    mount = site.mounts["submissions"]
    files = OldFiles(upload_root=mount.path, log_root=site.mounts["logs"].path, folders=site.folders)
    assert files.put_aside(site.submission_id)
    mount.unmount()
    for step in (files.put_aside, files.put_back, files.remove_aside):
        with pytest.raises(Unavailable, match="mounted"):
            step(site.submission_id)
    with pytest.raises(Unavailable, match="mounted"):
        files.left_aside()
    mount.mount()
    assert files.left_aside() == [site.submission_id]
    site.mounts["logs"].unmount()
    with pytest.raises(Unavailable, match="mounted"):
        files.remove_log(JOB)
