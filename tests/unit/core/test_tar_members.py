"""The reader of tars against Python's own on good archives, and against what hostile ones ask for."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.files.archives import Look
from core.adapters.files.gunzip import LARGEST_COUNT, Gunzip
from core.adapters.files.tar_members import HeaderBudget, Kind, Member, TarReader
from core.domain.errors import InvalidInput, TooLarge
from core.domain.limits import UploadLimits
from tests.builders import MAIN, TarMember, storage, tar, targz, upload, zipped
from tests.hostile_uploads.tars import extended, header, packed, record
from tests.unit.core.unpacking import refused, unpacked

pytestmark = pytest.mark.unit

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=150).map(
    lambda name: name.strip("/") or "x"
)
FORMATS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
TYPES = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE])


def read(content: bytes) -> list[tuple[Member, bytes]]:
    reader = TarReader(stream=io.BytesIO(content), budget=HeaderBudget.of(1000))
    return [(member, reader.read()) for member in reader.members()]


@settings(deadline=None)
@given(members=st.lists(st.tuples(NAMES, TYPES, st.binary(max_size=1200)), max_size=5), format=FORMATS)
def test_it_reads_what_tarfile_reads(members: list[tuple[str, bytes, bytes]], format: int) -> None:  # noqa: A002
    """Names of any length and script, kinds, sizes and contents."""
    written = tar(
        *(TarMember(name=name, type=kind, content=content if kind == tarfile.REGTYPE else b"", linkname="x")
          for name, kind, content in members), format=format,
    )  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(written)) as known:
        wanted = [
            (one.name.rstrip("/"), one.isdir(), (found.read() if (found := known.extractfile(one)) else b""))
            if one.isreg() else (one.name.rstrip("/"), one.isdir(), b"")
            for one in known
        ]  # fmt: skip
    assert [(one.name.rstrip("/"), one.kind is Kind.FOLDER, content) for one, content in read(written)] == wanted


@pytest.mark.parametrize("option", ["--format=gnu", "--format=pax", "--format=ustar", "--format=v7", "--format=oldgnu"])
def test_it_reads_what_tar_itself_writes(tmp_path: Path, root: Path, option: str) -> None:
    """GNU tar in all its formats, with a folder, a long name and a file whose size is no whole block."""
    source = tmp_path / "outside" / "source"
    long = "d" * 40 + "/" + "f" * 50
    files = {"main.py": MAIN, "a/b.txt": b"x" * 1000, long: b"y"}
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    packed_ = subprocess.run(["tar", option, "-C", str(source), "-cz", "."], check=True, capture_output=True).stdout
    shutil.rmtree(source)
    assert unpacked(root, "a.tar.gz", packed_) == files


def test_what_git_archive_puts_first_is_passed_over(root: Path) -> None:
    """One global header with a comment; it is no member and names none."""
    comment = extended(b"g", record("comment", "0" * 40))
    assert unpacked(root, "a.tar.gz", packed(comment, tar(("main.py", MAIN)))) == {"main.py": MAIN}


@pytest.mark.parametrize("key", ["path", "size", "linkpath", "GNU.sparse.name"])
def test_no_name_or_size_for_all_members(root: Path, key: str) -> None:
    refused(root, "a.tar.gz", packed(extended(b"g", record(key, "1")), tar(("main.py", MAIN))))


@pytest.mark.slow
def test_a_hundred_thousand_members_take_no_memory() -> None:
    """Nothing of a member is kept."""
    one = header(b"m")
    content = io.BufferedReader(Gunzip(io.BytesIO(packed((one * 1000 for _n in range(100)), bytes(1024)))))
    tracemalloc.start()
    try:
        reader = TarReader(stream=content, budget=HeaderBudget.of(10))
        assert sum(1 for _member in reader.members()) == 100_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024


def test_folders_that_paths_imply_count_as_entries(root: Path) -> None:
    """Two files, sixty folders."""
    names = ["/".join(f"{n}{depth}" for depth in range(29)) + "/x" for n in "ab"]
    limits = UploadLimits(entries=50)
    for name, pack in (("a.zip", zipped), ("a.tar.gz", targz)):
        assert "folders counted" in str(refused(root, name, pack(*((one, b"") for one in names)), limits))


def test_headers_of_all_archives_of_an_upload_count_together() -> None:
    """Two hundred small archives are no way around a bound."""
    look = Look(UploadLimits(entries=10))
    one = packed(extended(b"K", b"a" * 30_000), bytes(1024))
    look.at_archive("a.tar.gz", io.BytesIO(one))
    look.at_archive("b.tar.gz", io.BytesIO(one))
    with pytest.raises(TooLarge, match="headers"):
        look.at_archive("c.tar.gz", io.BytesIO(one))


def test_many_gzip_members_are_read_and_too_many_refused(root: Path) -> None:
    """Parallel packers write several; zeros between them are padding."""
    content = tar(("main.py", MAIN))
    pieces = [gzip.compress(content[at : at + 512]) for at in range(0, len(content), 512)]
    assert unpacked(root, "a.tar.gz", b"\0\0".join(pieces)) == {"main.py": MAIN}
    refused(root, "b.tar.gz", gzip.compress(b"") * (LARGEST_COUNT + 1))
    refused(root, "c.tar.gz", gzip.compress(content) + b"x")


def test_nothing_is_written_where_any_archive_of_an_upload_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of an upload is looked at first, its entrypoint included."""
    monkeypatch.setattr("core.adapters.files.unpacking.Tree", None)  # whatever is written goes through it
    kept = storage(tmp_path)
    good = targz(*((f"{n}.txt", b"") for n in range(5)), ("main.py", MAIN))
    for files in ([("a.tar.gz", good), ("b.zip", b"no zip")], [("a.tar.gz", good[:-1])], [("x.py", b"")]):
        with pytest.raises(InvalidInput):
            kept.create_submission(upload(files), {})
