"""Unpacking hostile archives: refused whole, nothing outside, nothing believed."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.adapters.files.archives import unpack
from core.adapters.files.file_tree import Tree
from core.domain.errors import InvalidInput
from tests.builders import MAIN, SMALL_LIMITS, TarMember, targz, zipped
from tests.unit.core.unpacking import refused, unpacked

pytestmark = pytest.mark.unit


NAMES = st.lists(st.sampled_from(["..", ".", "", "a", "b", "A", "-x", "é", "\\", "c:", "\x00"]), min_size=1, max_size=4)


CONTENTS = st.binary(max_size=40)


MEMBERS = st.lists(st.tuples(NAMES.map("/".join), CONTENTS), max_size=6)


KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.CONTTYPE]


BAD_NAMES = ["../x.py", "a/../../x.py", "/x.py", "//x.py", "\\x.py", "..\\x.py", "C:\\x.py", "a/./b.py", "a//b.py"]
BAD_NAMES += ["-x.py", "a\nb.py", "x" * 300, "/".join("d" * 40)]


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
    assert "put the file itself" in str(refused(root, "a.tar.gz", targz(("ok.py", b"x"), member)))


def test_refuses_a_link_that_a_later_member_would_write_through(root: Path) -> None:
    """H83: link first, file through it second; the link is never made."""
    content = targz(TarMember(name="d", type=tarfile.SYMTYPE, linkname="../outside"), ("d/x.py", b"evil"))
    refused(root, "a.tar.gz", content)


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o060644, 0o140644])
def test_refuses_zip_members_that_are_no_plain_files(root: Path, mode: int) -> None:
    """H83: Unix types in a zip's attributes."""
    assert "is a link, device" in str(refused(root, "a.zip", zipped(("main.py", b"/etc/passwd"), mode=mode)))


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
