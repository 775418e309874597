"""Uploads that fail: whatever the reason, nothing of them is left."""

from __future__ import annotations

import errno
import io
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.files import storage as filesystem_storage
from core.adapters.files.storage import FilesystemStorage
from core.domain.errors import InvalidInput, LeadersboardError, StorageFull, TooLarge, Unavailable
from core.domain.submission import Upload, UploadedFile
from tests.builders import MAIN, SMALL_LIMITS, storage, targz, upload, zipped
from tests.unit.core.stored import left_over

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"main.py": MAIN, "a.zip": b"junk"}, InvalidInput),
        ({"main.py": MAIN, "a.tar.gz": targz(("x.py", b"x"), ("../../evil.py", b"x"))}, InvalidInput),
        ({"main.py": MAIN, "a.zip": zipped(*((f"{n}.py", b"\x00" * 700_000) for n in range(3)))}, TooLarge),
        ({"main.py": MAIN, "a.zip": zipped(("main.py", b"other"))}, InvalidInput),
        ({"other.py": MAIN}, InvalidInput),
        ([("main.py", MAIN), ("main.py", MAIN)], InvalidInput),
        ([("main.py", MAIN), ("MAIN.py", MAIN)], InvalidInput),
        ({"main.py": MAIN, **{f"{n}.py": b"" for n in range(60)}}, TooLarge),
    ],
)
def test_a_refused_upload_leaves_nothing(store: FilesystemStorage, tmp_path: Path, files: object, kind: type) -> None:
    """SUB-3, SUB-6: whatever the reason, no file and no folder of it is left, and nothing lies outside."""
    with pytest.raises(kind):
        store.create_submission(upload(files), {})
    assert left_over(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {"submissions", "logs"}


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, Unavailable)]
)
def test_a_disk_that_fails_leaves_nothing(
    store: FilesystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type
) -> None:
    """R18: a full disk is StorageFull, another fault Unavailable; nothing half-written is left."""

    def fail(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filesystem_storage, "write_durably", fail)
    with pytest.raises(kind):
        store.create_submission(upload(), {})
    assert left_over(tmp_path) == []


def test_a_source_that_breaks_off_leaves_nothing(store: FilesystemStorage, tmp_path: Path) -> None:
    """SUB-6: whatever exception ends the reading."""

    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise KeyboardInterrupt

    sent = Upload(user_id="ada", files=[UploadedFile(name="main.py", content=Broken())])
    with pytest.raises(KeyboardInterrupt):
        store.create_submission(sent, {})
    assert left_over(tmp_path) == []


def test_a_submission_is_invisible_until_it_is_complete(
    store: FilesystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SUB-6: before the last step nothing but staging is there."""
    seen: list[list[str]] = []
    write = filesystem_storage.write_durably

    def watch(path: Path, text: str) -> None:
        seen.append([item.name for item in (tmp_path / "submissions").iterdir()])
        write(path, text)

    monkeypatch.setattr(filesystem_storage, "write_durably", watch)
    store.create_submission(upload(), {})
    assert seen == [[".staging"]]


def test_refuses_uploads_when_the_disk_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-7: below the low-water mark nothing is accepted; at it, everything is."""
    store = storage(tmp_path, limits=SMALL_LIMITS, min_free_bytes=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=999))
    with pytest.raises(StorageFull):
        store.create_submission(upload(), {})
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    assert store.create_submission(upload(), {}).files


def test_names_the_entrypoint_that_was_perhaps_meant(store: FilesystemStorage) -> None:
    """SUB-4: a missing entrypoint is refused, with a hint where it lies in another folder."""
    with pytest.raises(InvalidInput, match=r"'project/main\.py'"):
        store.create_submission(upload({"a.zip": zipped(("project/main.py", MAIN), ("data/a.yaml", b""))}), {})
    with pytest.raises(InvalidInput) as caught:
        store.create_submission(upload({"a.py": MAIN}), {})
    assert [fault.field for fault in caught.value.faults] == ["entrypoint"]


def test_the_entrypoint_may_lie_in_a_folder(store: FilesystemStorage) -> None:
    """SUB-4: any path of the submission that ends in .py; a folder of that name is none."""
    content = {"a.zip": zipped(("src/run.py", MAIN))}
    assert store.create_submission(upload(content, entrypoint="src/run.py"), {}).entrypoint == "src/run.py"
    with pytest.raises(InvalidInput):
        store.create_submission(upload({"a.zip": zipped(("main.py/x.py", MAIN))}), {})


def test_an_upload_without_a_disk_is_unavailable(store: FilesystemStorage, tmp_path: Path) -> None:
    """Also before anything is staged."""
    shutil.rmtree(tmp_path / "submissions")
    with pytest.raises(Unavailable):
        store.create_submission(upload(), {})


@settings(deadline=None, max_examples=50)
@given(
    files=st.lists(
        st.tuples(
            st.sampled_from(["main.py", "a.py", "a.zip", "b.tar.gz", "../x.py", "a\x00.py", "s/x.py"]),
            st.binary(max_size=80),
        ),
        max_size=4,
    )
)
def test_any_upload_is_stored_whole_or_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, bytes]]
) -> None:
    """SUB-6, also for names that nobody checked before."""
    root = tmp_path_factory.mktemp("any")
    store = storage(root, limits=SMALL_LIMITS)
    try:
        made = store.create_submission(upload(files), {})
    except LeadersboardError:
        assert left_over(root) == []
    else:
        assert [path.name for path in (root / "submissions").iterdir() if not path.name.startswith(".")] == [
            made.submission_id
        ]
        assert store.get_submission(made.submission_id) == made
    assert {path.name for path in root.iterdir()} == {"submissions", "logs"}
