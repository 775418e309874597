"""Bombs and floods: what an archive may become, counted while it is written."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.adapters.files.archives import unpack
from core.adapters.files.file_tree import Tree
from core.domain.errors import TooLarge
from core.domain.limits import UploadLimits
from tests.builders import MAIN, SMALL_LIMITS, TarMember, tar, targz, zipped
from tests.unit.core.unpacking import files_below, refused, unpacked

pytestmark = pytest.mark.unit


def test_refuses_members_that_overlap(root: Path) -> None:
    """H84: many directory entries that share one content; either the reader or the ratio stops it."""
    one = zipped(("a.py", b"\x00" * 500_000))
    local, directory, end = one[: one.index(b"PK\x01\x02")], one[one.index(b"PK\x01\x02") :], one.index(b"PK\x05\x06")
    entry = directory[: end - len(local)]
    entries = b"".join(entry.replace(b"a.py", f"{n:04}".encode()) for n in range(40))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 40, 40, len(entries), len(local), 0)
    refused(root, "a.zip", local + entries + tail)


def test_refuses_a_zip_that_lies_about_its_size(root: Path) -> None:
    """H84: a header's size is not believed."""
    content = bytearray(zipped(("main.py", b"\x00" * 400_000)))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<L", 10)
    refused(root, "a.zip", bytes(content))


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_refuses_bombs_by_what_they_unpack_to(root: Path, name: str, pack: Callable[..., bytes]) -> None:
    """H84: the sum of all members counts while it is written; little more than the limit reaches the disk."""
    content = pack(*((f"{n}.py", b"\x00" * 1_000_000) for n in range(8)))
    limits = SMALL_LIMITS.model_copy(update={"ratio": 10**6})
    assert type(refused(root, name, content, limits)) is TooLarge
    assert sum(map(len, files_below(root).values())) <= SMALL_LIMITS.unpacked_bytes


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_refuses_bombs_by_their_ratio(root: Path, name: str, pack: Callable[..., bytes]) -> None:
    """H84: at most 100 times the archive's size, once that is more than a short text's."""
    content = pack(*((f"{n}.py", b"\x00" * 700_000) for n in range(3)))
    assert "times its size" in str(refused(root, name, content))


def test_the_ratio_of_a_small_archive_harms_nobody(root: Path) -> None:
    """Short, regular texts compress by more than 100 and are welcome."""
    content = zipped(("main.py", b"\n" * 900_000))
    assert len(content) < 9_000
    assert len(unpacked(root, "a.zip", content)["main.py"]) == 900_000


def test_limits_hold_for_all_archives_together(root: Path) -> None:
    """Two archives that are each within the limit are not within it together."""
    tree = Tree(root=root, limits=SMALL_LIMITS.model_copy(update={"ratio": 10**6}))
    unpack("a.zip", io.BytesIO(zipped(("a.py", b"\x00" * 2_000_000))), tree)
    with pytest.raises(TooLarge):
        unpack("b.zip", io.BytesIO(zipped(("b.py", b"\x00" * 2_000_000))), tree)


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_the_ratio_counts_each_archive_from_where_it_began(root: Path, name: str, pack: Callable[..., bytes]) -> None:
    """What other files brought does not count against this one."""
    tree = Tree(root=root, limits=SMALL_LIMITS)
    tree.add_file("big.yaml", io.BytesIO(b"x" * 1_500_000))
    unpack(name, io.BytesIO(pack(("a.py", b"\x00" * 900_000))), tree)
    assert (root / "a.py").stat().st_size == 900_000


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_refuses_too_many_entries_at_once(root: Path, name: str, pack: Callable[..., bytes]) -> None:
    """H85: a flood of members is refused at the first one too many, before a file is written."""
    content = pack(*((f"{n:x}", b"") for n in range(4_000)))
    assert "more than 1000 entries" in str(refused(root, name, content, UploadLimits(entries=1000)))
    assert not files_below(root)


def test_folders_count_as_entries(root: Path) -> None:
    """H85: a flood of folders is a flood of entries."""
    content = targz(*(TarMember(name=f"d{n}", type=tarfile.DIRTYPE) for n in range(51)))
    assert "entries" in str(refused(root, "a.tar.gz", content))


def test_refuses_a_zip_directory_that_would_fill_memory(root: Path) -> None:
    """H85: a central directory beyond 4 MB is not read."""
    content = zipped(*((f"{n:05}" + "n" * 240, b"") for n in range(16_000)))
    assert "directory is too large" in str(refused(root, "a.zip", content, UploadLimits()))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_refuses_oversized_tar_headers(root: Path, kind: bytes) -> None:
    """H85: extended headers are read into memory whole, so their size is bounded."""
    header = TarMember(name="x", type=kind, size=100_000).header().tobuf(tarfile.GNU_FORMAT)
    assert "header is too large" in str(refused(root, "a.tar.gz", gzip.compress(header + b"\x00" * 200_000)))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_refuses_an_endless_chain_of_tar_headers(root: Path, kind: bytes) -> None:
    """H85: thousands of headers of headers end in a refusal, not in a crash."""
    body = b"11 path=ab\n"
    header = TarMember(name="x", type=kind, size=len(body)).header().tobuf(tarfile.GNU_FORMAT)
    chain = (header + body.ljust(512, b"\x00")) * 5000
    refused(root, "a.tar.gz", gzip.compress(chain + tar(("main.py", MAIN))))


@pytest.mark.slow
def test_ten_thousand_files_are_quick(root: Path) -> None:
    """What the limits allow is unpacked in seconds."""
    content = zipped(*((f"{n:x}", b"") for n in range(9_999)))
    started = time.process_time()
    assert len(unpacked(root, "a.zip", content, UploadLimits())) == 9_999
    assert time.process_time() - started < 10
