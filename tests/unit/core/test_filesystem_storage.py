"""Submissions as folders: all or nothing, named by us, and readable again."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters import filesystem_storage
from core.adapters.filesystem_storage import FilesystemStorage
from core.domain.errors import InvalidInput, LeadersboardError, NotFound, StorageFull, TooLarge, Unavailable
from core.domain.submission import Upload, UploadedFile
from tests.builders import MAIN, SMALL_LIMITS, job_id, storage, targz, upload, zipped

pytestmark = pytest.mark.unit

BAD_IDS = [
    "",
    "x",
    "..",
    "../" + "0" * 29,
    "0" * 31,
    "0" * 33,
    "G" * 32,
    "A" * 32,
    "0" * 32 + "\n",
    "\x00" * 32,
    ".staging",
]


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStorage:
    return storage(tmp_path, limits=SMALL_LIMITS)


def left_over(root: Path) -> list[str]:
    """Whatever stands among the submissions, staging included and empty indexes not."""
    return sorted(
        path.relative_to(root).as_posix() for path in (root / "submissions").rglob("*") if path.name != ".staging"
    )


def test_stores_files_and_answers_what_it_stored(store: FilesystemStorage, tmp_path: Path) -> None:
    """SUB-5: plain files and archives become one tree, with sizes, beside a record of everything."""
    made = store.create_submission(
        upload({"main.py": MAIN, "a.zip": zipped(("src/x.py", b"xyz")), "b.tar.gz": targz(("data/d.yaml", b""))}),
        {"team": "ü"},
    )
    assert [(file.path, file.size_bytes) for file in made.files] == [
        ("data/d.yaml", 0),
        ("main.py", len(MAIN)),
        ("src/x.py", 3),
    ]
    folder = tmp_path / "submissions" / made.submission_id
    record = json.loads((folder / "metadata.json").read_text())
    assert record["metadata"] == {"team": "ü"}
    assert (record["user_id"], record["entrypoint"], record["config_file"]) == ("ada", "main.py", "config.yaml")
    assert (folder / "files" / "src" / "x.py").read_bytes() == b"xyz"
    assert store.submission_files(made.submission_id) == folder / "files"


def test_reads_back_exactly_what_it_wrote(store: FilesystemStorage) -> None:
    """`get_submission` answers an equal value."""
    made = store.create_submission(upload(), {"n": [1, {"x": None}]})
    assert store.get_submission(made.submission_id) == made


def test_recognises_the_same_upload_of_the_same_user(store: FilesystemStorage) -> None:
    """SUB-5: the answer names the earlier one; another user, entrypoint or configuration file is another thing."""
    first = store.create_submission(upload({"main.py": MAIN, "a.py": MAIN}), {})
    assert first.duplicate_of is None
    again = store.create_submission(upload({"main.py": MAIN, "a.py": MAIN}), {"other": 1})
    assert again.duplicate_of == first.submission_id != again.submission_id
    for changes in ({"user_id": "bob"}, {"entrypoint": "a.py"}, {"config_file": "c.yaml"}):
        assert store.create_submission(upload({"main.py": MAIN, "a.py": MAIN}, **changes), {}).duplicate_of is None


def test_forgets_a_duplicate_that_was_removed(store: FilesystemStorage, tmp_path: Path) -> None:
    """What is gone is not named; the next one is."""
    first = store.create_submission(upload(), {})
    shutil.rmtree(tmp_path / "submissions" / first.submission_id)
    second = store.create_submission(upload(), {})
    assert second.duplicate_of is None
    assert store.create_submission(upload(), {}).duplicate_of == second.submission_id


@pytest.mark.parametrize("damage", [b"", b"abc", b"\xff", b"../../x", None])
def test_a_damaged_index_fails_no_upload(store: FilesystemStorage, tmp_path: Path, damage: bytes | None) -> None:
    """SUB-6: the upload is complete; not to recognise it is no reason to refuse it."""
    store.create_submission(upload(), {})
    index = next((tmp_path / "submissions" / ".by-content").iterdir())
    index.unlink()
    index.mkdir() if damage is None else index.write_bytes(damage)
    assert store.create_submission(upload(), {}).duplicate_of is None


def test_equal_content_has_an_equal_hash(store: FilesystemStorage) -> None:
    """SUB-5: the same files are recognised however they were packed; another byte or name is another hash."""
    plain = store.create_submission(upload({"main.py": MAIN, "a.py": b"x"}), {})
    packed = store.create_submission(upload({"a.zip": zipped(("a.py", b"x"), ("main.py", MAIN))}), {"other": 1})
    assert plain.sha256 == packed.sha256
    assert plain.submission_id != packed.submission_id
    for files in ({"main.py": MAIN, "a.py": b"y"}, {"main.py": MAIN, "b.py": b"x"}, {"main.py": MAIN}):
        assert store.create_submission(upload(files), {}).sha256 != plain.sha256


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

    monkeypatch.setattr(filesystem_storage, "_write_durably", fail)
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
    write = filesystem_storage._write_durably

    def watch(path: Path, text: str) -> None:
        seen.append([item.name for item in (tmp_path / "submissions").iterdir()])
        write(path, text)

    monkeypatch.setattr(filesystem_storage, "_write_durably", watch)
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
    """SUB-4: a missing entrypoint is refused, with a hint where an outer folder is the cause."""
    with pytest.raises(InvalidInput, match=r"'project/main\.py'"):
        store.create_submission(upload({"a.zip": zipped(("project/main.py", MAIN))}), {})
    with pytest.raises(InvalidInput) as caught:
        store.create_submission(upload({"a.py": MAIN}), {})
    assert [fault.field for fault in caught.value.faults] == ["entrypoint"]


def test_the_entrypoint_may_lie_in_a_folder(store: FilesystemStorage) -> None:
    """SUB-4: any path of the submission that ends in .py; a folder of that name is none."""
    content = {"a.zip": zipped(("src/run.py", MAIN))}
    assert store.create_submission(upload(content, entrypoint="src/run.py"), {}).entrypoint == "src/run.py"
    with pytest.raises(InvalidInput):
        store.create_submission(upload({"a.zip": zipped(("main.py/x.py", MAIN))}), {})


@pytest.mark.parametrize("text", BAD_IDS)
def test_ids_that_are_none_of_ours_are_not_found(store: FilesystemStorage, text: str) -> None:
    """No id becomes a path unchecked."""
    for method in (store.get_submission, store.submission_files, store.log_path, store.read_log):
        with pytest.raises(NotFound):
            method(text)
    with pytest.raises(NotFound):
        store.read_log_from(text, 0)


def test_an_unknown_submission_is_not_found(store: FilesystemStorage) -> None:
    """A well-formed id of nothing."""
    with pytest.raises(NotFound):
        store.get_submission(job_id(1))
    with pytest.raises(NotFound):
        store.submission_files(job_id(1))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"submission_id": "x"}', "null", '{"files": 3}', "\udcff"])
def test_a_damaged_record_is_unavailable(store: FilesystemStorage, tmp_path: Path, text: str) -> None:
    """A record that cannot be read is the storage's fault, not a crash."""
    made = store.create_submission(upload(), {})
    record = tmp_path / "submissions" / made.submission_id / "metadata.json"
    record.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Unavailable):
        store.get_submission(made.submission_id)


def test_a_job_without_log_has_an_empty_one(store: FilesystemStorage) -> None:
    """JOB-6: never an error for a log that is not there yet."""
    assert store.read_log(job_id(1)).text == ""
    assert store.read_log_from(job_id(1), 500).text == ""


def test_reads_logs_by_job(store: FilesystemStorage, tmp_path: Path) -> None:
    """The tail, and what came after a byte."""
    (tmp_path / "logs" / f"{job_id(1)}.log").write_bytes(b"a\nb\nc\n")
    assert store.read_log(job_id(1), tail_lines=2).text == "b\nc\n"
    assert store.read_log_from(job_id(1), 2).text == "b\nc\n"
    assert store.read_log_from(job_id(1), 2, max_bytes=1).text == "b"


def test_a_log_that_cannot_be_read_is_unavailable(store: FilesystemStorage, tmp_path: Path) -> None:
    """A fault of the disk is told as such."""
    (tmp_path / "logs" / f"{job_id(1)}.log").mkdir()
    with pytest.raises(Unavailable):
        store.read_log(job_id(1))
    with pytest.raises(Unavailable):
        store.read_log_from(job_id(1), 0)


@pytest.mark.parametrize("missing", ["submissions", "logs"])
def test_the_check_needs_both_folders(store: FilesystemStorage, tmp_path: Path, missing: str) -> None:
    """RUN-6: a missing folder is Unavailable."""
    store.check()
    shutil.rmtree(tmp_path / missing)
    with pytest.raises(Unavailable):
        store.check()


def test_an_upload_without_a_disk_is_unavailable(store: FilesystemStorage, tmp_path: Path) -> None:
    """Also before anything is staged."""
    shutil.rmtree(tmp_path / "submissions")
    with pytest.raises(Unavailable):
        store.create_submission(upload(), {})


def test_clears_only_stale_staging(store: FilesystemStorage, tmp_path: Path) -> None:
    """R19: what broke off long ago goes; what is being uploaded and what is complete stay."""
    made = store.create_submission(upload(), {})
    staging = tmp_path / "submissions" / ".staging"
    for name in ("old", "new"):
        (staging / name / "files").mkdir(parents=True)
    os.utime(staging / "old", (time.time() - 700, time.time() - 700))
    assert store.clear_staging() == 1
    assert [path.name for path in staging.iterdir()] == ["new"]
    assert store.get_submission(made.submission_id) == made


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
