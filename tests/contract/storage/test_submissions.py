"""The storage port's contract for submissions: lists, archives, logs."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from core.domain.errors import InvalidInput, NotFound
from core.domain.submission import Upload, UploadedFile
from core.ports.storage import StoragePort
from tests.contract.storage.folders import bytes_read, storage_at, uploaded

pytestmark = pytest.mark.contract


def test_lists_are_newest_first_in_pages_by_user(storage: StoragePort) -> None:
    """SUB-7: every submission once, whatever the size of a page, and nobody else's."""
    mine = [uploaded(storage, note=str(number)).submission_id for number in range(7)]
    bobs = uploaded(storage, "bob").submission_id
    seen, cursor = [], None
    while True:
        page = storage.list_submissions(user_id="ann", limit=3, cursor=cursor)
        seen += [item.submission_id for item in page.submissions]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == mine[::-1]
    assert [item.submission_id for item in storage.list_submissions().submissions] == [bobs, *mine[::-1]]
    assert storage.list_submissions(user_id="nobody").submissions == ()


def test_a_summary_says_what_a_submission_is(storage: StoragePort) -> None:
    """SUB-7: enough to tell one's submissions apart, without their files."""
    made = uploaded(storage, config__yaml=b"epochs: 1\n")
    (found,) = storage.list_submissions().submissions
    assert (found.submission_id, found.user_id, found.created_at) == (made.submission_id, "ann", made.created_at)
    assert (found.file_count, found.size_bytes, found.sha256) == (2, 18, made.sha256)


@pytest.mark.parametrize("cursor", ["", "x", "../../etc/passwd", "9" * 20, "2" * 20 + "-" + "G" * 32])
def test_a_foreign_cursor_is_refused(storage: StoragePort, cursor: str) -> None:
    """A cursor is somebody's text until it is checked, and never a path."""
    with pytest.raises(InvalidInput):
        storage.list_submissions(cursor=cursor)


def test_a_page_reads_no_more_than_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PER-7: a page of many submissions reads as many files as a page of few."""
    storage = storage_at(tmp_path)
    for number in range(60):
        uploaded(storage, note=str(number))
    read: list[Path] = []
    original = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, *args, **more: read.append(path) or original(path, *args, **more)
    )
    assert len(storage.list_submissions(user_id="ann", limit=5).submissions) == 5
    assert len(read) == 5


def test_a_submission_that_is_gone_is_in_no_list(tmp_path: Path) -> None:
    """RUN-7: the submissions are the truth; removing one needs no other step."""
    storage = storage_at(tmp_path)
    gone, kept = uploaded(storage), uploaded(storage)
    (tmp_path / gone.submission_id).rename(tmp_path / "elsewhere")
    assert [item.submission_id for item in storage.list_submissions().submissions] == [kept.submission_id]


def test_a_lost_index_is_made_anew_at_the_start(tmp_path: Path) -> None:
    """SUB-7: the index survives its loss."""
    storage = storage_at(tmp_path)
    made = [uploaded(storage, note=str(number)) for number in range(3)]
    before = storage.list_submissions(user_id="ann")
    for path in sorted((tmp_path / ".by-user").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (tmp_path / ".by-user").rmdir()
    assert storage.list_submissions(user_id="ann").submissions == ()
    storage.clear_staging()
    assert storage.list_submissions(user_id="ann") == before
    assert len(before.submissions) == len(made)


def test_an_archive_holds_the_files_and_is_the_same_again(storage: StoragePort) -> None:
    """SUB-7: what was uploaded, under its own names, whatever their length; packed again it is the same content."""
    long = "/".join(["folder"] * 20) + "/é and a long name " + "x" * 150 + ".py"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, raw in {long: b"", "src/a.py": b"a" * 513, "b.py": b"b" * 512}.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
    made = uploaded(storage, code__tar__gz=packed.getvalue())
    archive = b"".join(storage.submission_archive(made.submission_id))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert sorted(tar.getnames()) == sorted(file.path for file in made.files)
        assert {member.mode for member in tar} == {0o644}
    again = Upload(user_id="ann", files=[UploadedFile(name="again.tar.gz", content=io.BytesIO(archive))])
    assert storage.create_submission(again, {}).duplicate_of == made.submission_id


def test_packing_takes_little_memory(storage: StoragePort) -> None:
    """SUB-7: a file of 60 MB goes through in pieces."""
    made = uploaded(storage, data__py=b"\0" * 60_000_000)
    tracemalloc.start()
    count = sum(len(piece) for piece in storage.submission_archive(made.submission_id))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
    assert count < 1_000_000


def test_an_unknown_submission_has_no_archive(storage: StoragePort) -> None:
    """Told before the first piece, so that it can be answered with 404."""
    for submission_id in ("0" * 32, "..", ".staging"):
        with pytest.raises(NotFound):
            storage.submission_archive(submission_id)


def test_the_tail_of_a_huge_log_costs_what_a_small_ones_does(tmp_path: Path) -> None:
    """JOB-6: 1 GB or 1 MB, the same bytes are read."""
    storage = storage_at(tmp_path)
    small, huge = storage.log_path("a" * 32), storage.log_path("b" * 32)
    last = b"".join(b"%07d a line of a log that is as long as lines are\n" % number for number in range(20_000))
    small.write_bytes(last[-1_000_000:])
    with huge.open("wb") as log:
        log.truncate(1_000_000_000)
        log.seek(0, os.SEEK_END)
        log.write(last[-1_000_000:])
    spent = {}
    for path in (small, huge, small, huge):
        before = bytes_read()
        found = storage.read_log(path.stem)
        spent[path.stem] = bytes_read() - before
        assert found.text.count("\n") == 1000
        assert found.next_offset == path.stat().st_size
        assert found.offset == found.next_offset - len(found.text)
    assert spent["b" * 32] <= 1.1 * spent["a" * 32] + 4096


def test_gzip_is_what_the_archive_says(storage: StoragePort) -> None:
    """Its first bytes are those of gzip, and it ends as tar files end."""
    made = uploaded(storage)
    assert gzip.decompress(b"".join(storage.submission_archive(made.submission_id))).endswith(bytes(1024))
