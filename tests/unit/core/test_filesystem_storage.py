"""Submissions as folders: named by us, recognised, and readable again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.adapters.files.storage import FilesystemStorage
from core.domain.errors import NotFound, Unavailable
from tests.builders import MAIN, job_id, targz, upload, zipped

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
        files = (
            {"main.py": MAIN, "a.py": MAIN, "c.yaml": b""}
            if "config_file" in changes
            else {"main.py": MAIN, "a.py": MAIN}
        )
        assert store.create_submission(upload(files, **changes), {}).duplicate_of is None


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


def test_clears_only_stale_staging(store: FilesystemStorage, tmp_path: Path) -> None:
    """R19: what nobody holds any more goes, what is complete stays.

    Uploads that go on: tests/contract/storage/test_broken_uploads.py.
    """
    made = store.create_submission(upload(), {})
    staging = tmp_path / "submissions" / ".staging"
    for name in ("old", "new"):
        (staging / name / "files").mkdir(parents=True)
    assert store.clear_staging() == 2
    assert list(staging.iterdir()) == []
    assert store.get_submission(made.submission_id) == made
