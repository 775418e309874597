"""Unpacking hostile archives: refused whole, nothing outside, nothing believed."""

from __future__ import annotations

import contextlib
import gzip
import io
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.adapters.archives import Tree, unpack
from core.domain.errors import InvalidInput, TooLarge
from core.domain.limits import UploadLimits
from tests.builders import MAIN, SMALL_LIMITS, TarMember, bad_crc, tar, targz, zipped

pytestmark = pytest.mark.unit

NAMES = st.lists(st.sampled_from(["..", ".", "", "a", "b", "A", "-x", "é", "\\", "c:", "\x00"]), min_size=1, max_size=4)
CONTENTS = st.binary(max_size=40)
MEMBERS = st.lists(st.tuples(NAMES.map("/".join), CONTENTS), max_size=6)
KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.CONTTYPE]
BAD_NAMES = ["../x.py", "a/../../x.py", "/x.py", "//x.py", "\\x.py", "..\\x.py", "C:\\x.py", "a/./b.py", "a//b.py"]
BAD_NAMES += ["-x.py", "a\nb.py", "x" * 300, "/".join("d" * 40)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def unpacked(root: Path, name: str, content: bytes, limits: UploadLimits = SMALL_LIMITS) -> dict[str, bytes]:
    """The files that the archive becomes."""
    unpack(name, io.BytesIO(content), Tree(root=root, limits=limits))
    return files_below(root)


def files_below(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refused(root: Path, name: str, content: bytes, limits: UploadLimits = SMALL_LIMITS) -> InvalidInput:
    """The refusal; nothing but plain files in the tree, and nothing outside it."""
    with pytest.raises(InvalidInput) as caught:
        unpack(name, io.BytesIO(content), Tree(root=root, limits=limits))
    assert {path.name for path in root.parent.iterdir()} == {"outside", "tree"}
    assert not list((root.parent / "outside").iterdir())
    assert not any(path.is_symlink() for path in root.rglob("*"))
    return caught.value


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", targz), ("A.ZIP", zipped)])
def test_unpacks_files_and_folders(root: Path, name: str, pack: Callable[..., bytes]) -> None:
    """Plain members arrive with their bytes, below folders that the archive need not name."""
    members = [("main.py", MAIN), ("src/a/model.py", b"x" * 5000), ("src/empty.yaml", b"")]
    assert unpacked(root, name, pack(*members)) == dict(members)


def test_unpacks_what_tar_makes_of_a_folder(root: Path) -> None:
    """`tar -C folder .` puts ./ before each name and the folder itself first; both are understood."""
    content = targz(
        TarMember(name="./", type=tarfile.DIRTYPE),
        TarMember(name="./src", type=tarfile.DIRTYPE),
        ("./main.py", MAIN),
        ("./src/x.py", b"x"),
    )
    assert unpacked(root, "a.tar.gz", content) == {"main.py": MAIN, "src/x.py": b"x"}


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_unpacks_every_tar_format(root: Path, format: int) -> None:  # noqa: A002
    """Long names as each format writes them."""
    name = "d" * 90 + "/" + "f" * 90
    assert unpacked(root, "a.tar.gz", targz((name, b"x"), format=format)) == {name: b"x"}


def test_unpacks_folders_of_a_zip(root: Path) -> None:
    """Folder entries become folders, also empty ones."""
    assert unpacked(root, "a.zip", zipped(("src/", b""), ("src/x.py", b"x"), ("empty/", b""))) == {"src/x.py": b"x"}
    assert (root / "empty").is_dir()


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize(("archive", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_refuses_names_that_lead_elsewhere(root: Path, archive: str, pack: Callable[..., bytes], name: str) -> None:
    """H82, H85: parents, absolute, backslash, overlong and too deep names in either kind of archive."""
    refused(root, archive, pack(("ok.py", b"x"), (name, b"evil")))


def test_refuses_a_zip_name_that_is_cut_at_nul(root: Path) -> None:
    """The whole name counts, not what the reader makes of it."""
    refused(root, "a.zip", zipped(("main.py", MAIN), ("a.py\x00.txt", b"x")))


@pytest.mark.parametrize("name", ["../x/", "/x/", "a/../../x/", "/"])
def test_refuses_folder_names_that_lead_elsewhere(root: Path, name: str) -> None:
    """H82 for folders."""
    refused(root, "a.zip", zipped((name, b"")))
    if name != "/":  # which tar reads as the folder itself
        refused(root, "a.tar.gz", targz(TarMember(name=name, type=tarfile.DIRTYPE)))


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_tar_members_that_are_no_plain_files(root: Path, kind: bytes) -> None:
    """H83: links of both sorts, FIFOs, devices."""
    member = TarMember(name="main.py", type=kind, linkname="../outside/x")
    assert "only plain files" in str(refused(root, "a.tar.gz", targz(("ok.py", b"x"), member)))


def test_refuses_a_link_that_a_later_member_would_write_through(root: Path) -> None:
    """H83: link first, file through it second; the link is never made."""
    content = targz(TarMember(name="d", type=tarfile.SYMTYPE, linkname="../outside"), ("d/x.py", b"evil"))
    refused(root, "a.tar.gz", content)


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o060644, 0o140644])
def test_refuses_zip_members_that_are_no_plain_files(root: Path, mode: int) -> None:
    """H83: Unix types in a zip's attributes."""
    assert "link or device" in str(refused(root, "a.zip", zipped(("main.py", b"/etc/passwd"), mode=mode)))


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
    started = time.monotonic()
    refused(root, "a.tar.gz", targz(TarMember(name="a.py", content=b"x" * 600, pax={"size": size}), ("main.py", MAIN)))
    assert time.monotonic() - started < 2


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
    assert "compression" in str(refused(root, "a.zip", zipped(("main.py", MAIN), compression=compression)))


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
    """H85: a flood of members is refused at the first one too many."""
    content = pack(*((f"{n:x}", b"") for n in range(4_000)))
    assert "more than 1000 entries" in str(refused(root, name, content, UploadLimits(entries=1000)))
    assert len(files_below(root)) == 1000


def test_folders_count_as_entries(root: Path) -> None:
    """H85: a flood of folders is a flood of entries."""
    content = targz(*(TarMember(name=f"d{n}", type=tarfile.DIRTYPE) for n in range(51)))
    assert "entries" in str(refused(root, "a.tar.gz", content))


def test_refuses_a_zip_directory_that_would_fill_memory(root: Path) -> None:
    """H85: a central directory beyond 4 MB is not read."""
    content = zipped(*((f"{n:05}" + "n" * 240, b"") for n in range(16_000)))
    assert "directory is too large" in str(refused(root, "a.zip", content, UploadLimits()))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE, b"?"])
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


@pytest.mark.parametrize(
    "names",
    [
        ("a.py", "a.py"),
        ("a.py", "A.py"),
        ("ü.py", "u\u0308.py"),
        ("a", "a/b.py"),
        ("a/b.py", "a"),
        ("A/b.py", "a"),
        ("a", "A/b.py"),
    ],
)
@pytest.mark.parametrize(("archive", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_refuses_two_names_for_one_file(
    root: Path, archive: str, pack: Callable[..., bytes], names: tuple[str, str]
) -> None:
    """SUB-3: the same name twice, in another case or accent, or as file and folder at once."""
    refused(root, archive, pack(*((name, b"x") for name in names)))


@pytest.mark.parametrize("names", [("a", "a/"), ("a/", "a")])
def test_refuses_a_file_and_a_folder_of_one_name(root: Path, names: tuple[str, str]) -> None:
    """SUB-3, with the folder named by itself."""
    refused(root, "a.zip", zipped(*((name, b"") for name in names)))


def test_ten_thousand_files_are_quick(root: Path) -> None:
    """What the limits allow is unpacked in seconds."""
    content = zipped(*((f"{n:x}", b"") for n in range(9_999)))
    started = time.monotonic()
    assert len(unpacked(root, "a.zip", content, UploadLimits())) == 9_999
    assert time.monotonic() - started < 10


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(members=MEMBERS, kind=st.sampled_from(["a.zip", "a.tar.gz"]), data=st.data())
def test_whatever_is_uploaded_nothing_outside_is_written(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, bytes]], kind: str, data: st.DataObject
) -> None:
    """Any names, any kinds, any damage: files below the root or a refusal, and nothing else anywhere."""
    root = tmp_path_factory.mktemp("any") / "tree"
    root.mkdir()
    types = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
    if kind == "a.zip":
        content = bytearray(zipped(*members))
    else:
        content = bytearray(
            targz(*(TarMember(name=n.replace("\x00", "_"), content=c, type=data.draw(types)) for n, c in members))
        )
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(InvalidInput):
        unpack(kind, io.BytesIO(bytes(content)), Tree(root=root, limits=SMALL_LIMITS))
    assert [path.name for path in root.parent.iterdir()] == ["tree"]
    assert all(not path.is_symlink() and (path.is_file() or path.is_dir()) for path in root.rglob("*"))


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
