"""Damaged, cut-off and lying archives: refused, never half-believed."""

from __future__ import annotations

import contextlib
import gzip
import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.files.archives import unpack
from core.adapters.files.file_tree import Tree
from core.domain.errors import InvalidInput
from tests.builders import MAIN, SMALL_LIMITS, TarMember, bad_crc, tar, targz, zipped
from tests.unit.core.unpacking import refused, unpacked

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "pax",
    [
        {"GNU.sparse.map": "0,1,1048576,1", "GNU.sparse.size": "1048577"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1048577", "GNU.sparse.name": "m.py"},
        {"GNU.sparse.map": "x,y"},
    ],
)
def test_refuses_sparse_members(root: Path, pax: dict[str, str]) -> None:
    """H83: no file that is larger than its bytes."""
    refused(root, "a.tar.gz", targz(TarMember(name="main.py", content=b"2\n0\n1\n5\n1\nab", pax=pax)))


@pytest.mark.parametrize("size", ["-512", "-1", "x", "1e9", "99999999999999999999999"])
def test_refuses_lying_sizes_of_a_tar(root: Path, size: str) -> None:
    """H87: negative, endless and unreadable sizes end at once (a reader once looped for ever on them)."""
    started = time.process_time()
    refused(root, "a.tar.gz", targz(TarMember(name="a.py", content=b"x" * 600, pax={"size": size}), ("main.py", MAIN)))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\x00" * 2000, b"#!/bin/sh\n" * 100, b"PK\x03\x04" + b"x" * 100, b"\x1f\x8b\x08\x00" + b"x" * 100],
)
def test_refuses_what_is_no_archive(root: Path, name: str, content: bytes) -> None:
    """H87: empty files, other files, magic bytes with nothing behind."""
    refused(root, name, content)


def test_refuses_an_archive_under_the_other_kinds_name(root: Path) -> None:
    """H87: a zip is not a tar.gz."""
    refused(root, "a.zip", targz(("main.py", MAIN)))
    refused(root, "a.tar.gz", zipped(("main.py", MAIN)))
    refused(root, "a.tar.gz", tar(("main.py", MAIN)))


@pytest.mark.parametrize("pack", [targz, zipped])
def test_refuses_an_archive_that_is_cut_off_anywhere(root: Path, pack: Callable[..., bytes]) -> None:
    """H87: no cut of the file passes as a smaller archive."""
    content = pack(("main.py", MAIN), ("src/x.py", bytes(range(256)) * 8))
    name = "a.zip" if pack is zipped else "a.tar.gz"
    for number, length in enumerate(range(0, len(content) - 1, 13)):
        folder = root / str(number)
        folder.mkdir()
        with pytest.raises(InvalidInput):
            unpacked(folder, name, content[:length])


@pytest.mark.parametrize("length", [300, 512, 700, 1024, 1100, 1300, 1536])
def test_refuses_a_tar_that_ends_too_early_inside_whole_gzip(root: Path, length: int) -> None:
    """H87: a tar without its end is incomplete, however well its bytes are wrapped."""
    content = tar(("main.py", MAIN), ("src/x.py", b"y" * 600))
    refused(root, "a.tar.gz", gzip.compress(content[:length]))


def test_refuses_a_tar_with_a_damaged_header_in_its_middle(root: Path) -> None:
    """H87: what follows a bad header is not silently left out."""
    content = bytearray(tar(("main.py", MAIN), ("src/x.py", b"y")))
    content[1024] ^= 1
    refused(root, "a.tar.gz", gzip.compress(bytes(content)))


def test_refuses_bytes_that_do_not_match_their_checksum(root: Path) -> None:
    """H87: damaged content of a zip and of a gzip."""
    refused(root, "a.zip", bad_crc(zipped(("main.py", MAIN), compression=zipfile.ZIP_STORED), MAIN))
    content = bytearray(targz(("main2.py", MAIN)))
    content[-5] ^= 1
    refused(root, "a.tar.gz", bytes(content))


@pytest.mark.parametrize("extra", [b"x", b"\x00" * 2_000_000])
def test_refuses_what_follows_the_end_of_a_tar(root: Path, extra: bytes) -> None:
    """H87: after the last member nothing but the usual padding."""
    assert unpacked(root, "a.tar.gz", gzip.compress(tar(("a.py", MAIN)) + b"\x00" * 20_000)) == {"a.py": MAIN}
    refused(root, "a.tar.gz", gzip.compress(tar(("b.py", MAIN)) + extra))


def test_refuses_a_zip_with_something_before_it(root: Path) -> None:
    """H87: a file that is a script and a zip at once is neither for us."""
    refused(root, "a.zip", b"#!/bin/sh\nexit\n" + zipped(("main.py", MAIN)))


def test_refuses_a_zip_whose_directory_points_before_its_file(root: Path, tmp_path: Path) -> None:
    """A damaged position is the archive's fault, also in a real file, where seeking there is an error of the disk."""
    content = bytearray(zipped(("main.py", MAIN)))
    at = content.index(b"PK\x05\x06") + 16
    content[at : at + 4] = struct.pack("<L", len(content))
    path = tmp_path / "outside" / "a.zip"
    path.write_bytes(content)
    with path.open("rb") as archive, pytest.raises(InvalidInput):
        unpack("a.zip", archive, Tree(root=root, limits=SMALL_LIMITS))


def test_refuses_an_empty_member_name(root: Path) -> None:
    """A member without a name is refused like any bad name."""
    refused(root, "a.zip", zipped(("", b"x")))
    refused(root, "a.tar.gz", targz(("", b"x")))


def test_refuses_encrypted_members(root: Path) -> None:
    """H87: nobody here knows the password."""
    content = bytearray(zipped(("main.py", MAIN)))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in str(refused(root, "a.zip", bytes(content)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_refuses_other_compressions(root: Path, compression: int) -> None:
    """Only those whose memory and ratio we bound."""
    assert "the method Deflate" in str(refused(root, "a.zip", zipped(("main.py", MAIN), compression=compression)))


@settings(deadline=None)
@given(raw=st.binary(max_size=600), wrap=st.booleans(), kind=st.sampled_from(["a.zip", "a.tar.gz"]))
def test_arbitrary_bytes_are_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory,
    raw: bytes,
    wrap: bool,  # noqa: FBT001 hypothesis passes it by name
    kind: str,
) -> None:
    """No bytes raise anything but InvalidInput."""
    root = tmp_path_factory.mktemp("raw")
    with contextlib.suppress(InvalidInput):
        unpack(kind, io.BytesIO(gzip.compress(raw) if wrap else raw), Tree(root=root, limits=SMALL_LIMITS))
