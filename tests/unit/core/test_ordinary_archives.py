"""Archives as macOS, Windows and Linux make them: what people pack arrives as they meant it (FLD-1, FLD-2)."""

from __future__ import annotations

import io
import tarfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.files.file_tree import Tree
from core.adapters.files.member_names import crowded_folder, is_companion
from core.adapters.files.storage import FilesystemStorage
from core.domain.errors import InvalidInput
from core.domain.limits import UploadLimits
from core.domain.submission import Submission
from tests.builders import MAIN, SMALL_LIMITS, TarMember, targz, upload, zipped
from tests.unit.core.made_zips import of_windows, with_raw_names
from tests.unit.core.unpacking import files_below, look_and_unpack, refused, unpacked

pytestmark = pytest.mark.unit

JAPANESE = unicodedata.normalize("NFC", "\u30ac\u30a4\u30c9\u30fb\u8868\u9762.py")
"""A name with a composed mark of voice, and in cp932 with a byte that is a backslash."""
CONFIG = b"seed: 1\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("outside", "tree"):
        (tmp_path / name).mkdir()
    return tmp_path / "tree"


def stored(store: FilesystemStorage, content: bytes, name: str = "a.zip", **fields: str) -> Submission:
    return store.create_submission(upload({name: content}, **fields), {})


def paths(submission: Submission) -> list[str]:
    return [file.path for file in submission.files]


FINDER = [
    ("main.py", MAIN), ("__MACOSX/._main.py", b"\0"), (".DS_Store", b"\0"), ("data/a.yaml", b""),
    ("__MACOSX/data/._a.yaml", b"\0"), ("data/.DS_Store", b"\0"), ("Thumbs.db", b"\0"), ("data/Desktop.ini", b"\0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", targz), ("A.TGZ", targz)])
def test_companions_are_left_out_with_a_word(store: FilesystemStorage, name: str, pack: object) -> None:
    """In zip and tar; a program that opens every picture meets none of them."""
    found = stored(store, pack(*FINDER), name)  # type: ignore[operator]
    assert paths(found) == ["data/a.yaml", "main.py"]
    assert found.notes == (
        "6 files and folders that macOS or Windows adds (such as .DS_Store or __MACOSX) were left out.",
    )


@pytest.mark.parametrize(
    "name", ["a.DS_Store", "_main.py", "thumbs.db.py", "MACOSX/a", "__MACOSX_/a", ".py", "desktop.ini/a"]
)
def test_what_only_looks_like_a_companion_stays(name: str) -> None:
    assert not is_companion(name)


def test_companions_count_as_entries(root: Path) -> None:
    """H84: what is left out is bounded like the rest."""
    many = [(f"__MACOSX/._{number}", b"") for number in range(SMALL_LIMITS.entries)]
    for name, pack in (("a.zip", zipped), ("a.tar.gz", targz)):
        assert "more than 50 entries" in str(refused(root, name, pack(("main.py", MAIN), *many)))


def test_one_outer_folder_is_taken_off(store: FilesystemStorage) -> None:
    """With companions beside it, and folders of their own in it."""
    content = zipped(
        ("my-padim/", b""), ("my-padim/main.py", MAIN), ("my-padim/config.yaml", CONFIG), ("my-padim/empty/", b""),
        ("__MACOSX/._my-padim", b""),
    )  # fmt: skip
    found = stored(store, content)
    assert paths(found) == ["config.yaml", "main.py"]
    assert (store.submission_files(found.submission_id) / "empty").is_dir()
    assert found.notes[0] == "The outer folder 'my-padim/' was taken off."


def test_a_tar_of_a_folder_is_taken_off_as_well(store: FilesystemStorage) -> None:
    folder = TarMember(name="./my-padim", type=tarfile.DIRTYPE)
    assert paths(stored(store, targz(folder, ("./my-padim/main.py", MAIN)), "a.tgz")) == ["main.py"]


def test_an_outer_folder_that_the_entrypoint_names_stays(store: FilesystemStorage) -> None:
    """Its config file is found beside the entrypoint."""
    content = zipped(("my-padim/main.py", MAIN), ("my-padim/config.yaml", CONFIG))
    found = stored(store, content, entrypoint="my-padim/main.py")
    assert (found.entrypoint, found.config_file) == ("my-padim/main.py", "my-padim/config.yaml")
    assert found.notes == ("The config file 'my-padim/config.yaml' beside the entrypoint is used.",)
    assert store.get_submission(found.submission_id).config_file == "my-padim/config.yaml"


def test_a_folder_with_something_beside_it_stays(store: FilesystemStorage) -> None:
    content = zipped(("src/main.py", MAIN), ("README.yaml", b""))
    with pytest.raises(InvalidInput, match=r"there is 'src/main\.py': name it as the entrypoint"):
        stored(store, content)


def test_backslashes_of_windows_are_separators(store: FilesystemStorage) -> None:
    content = of_windows(("main.py", MAIN), ("src\\__init__.py", b""), ("src\\model.py", b"x = 1"))
    assert paths(stored(store, content)) == ["main.py", "src/__init__.py", "src/model.py"]


@pytest.mark.parametrize("name", ["..\\x.py", "C:\\x.py", "\\x.py", "a\\..\\..\\x.py", "src\\..\\main.py"])
def test_backslashes_lead_nowhere_else(root: Path, name: str) -> None:
    """H82: every rule for names is checked after they are read."""
    refused(root, "a.zip", of_windows(("ok.py", b""), (name, b"evil")))


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_names_without_a_flag_are_read(root: Path, encoding: str) -> None:
    """UTF-8 if it can be, else cp932, also where a character has a byte that is a backslash."""
    content = with_raw_names((b"main.py", MAIN), (JAPANESE.encode(encoding), b"x"))
    assert b"\\" in JAPANESE.encode("cp932")
    assert unpacked(root, "a.zip", content) == {"main.py": MAIN, JAPANESE: b"x"}


@pytest.mark.parametrize("name", [b"\xff\xfe.py", b"\x81\xff.py"])
def test_names_in_no_known_encoding_say_how_to_pack(root: Path, name: bytes) -> None:
    assert "send a .tar.gz" in str(refused(root, "a.zip", with_raw_names((name, b"x"))))


@pytest.mark.parametrize(("archive", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_names_are_composed(root: Path, archive: str, pack: object) -> None:
    """macOS takes accents apart; a program that opens the name as it is typed finds it."""
    content = pack((unicodedata.normalize("NFD", JAPANESE), b"x"))  # type: ignore[operator]
    assert list(unpacked(root, archive, content)) == [JAPANESE]


def test_an_entrypoint_is_composed_like_the_names(store: FilesystemStorage) -> None:
    decomposed = unicodedata.normalize("NFD", JAPANESE)
    assert stored(store, zipped((decomposed, MAIN)), entrypoint=decomposed).entrypoint == JAPANESE
    assert store.create_submission(upload({decomposed: MAIN}, entrypoint=JAPANESE), {}).entrypoint == JAPANESE


def test_blanks_of_any_script_are_harmless(root: Path) -> None:
    """As in a screenshot's name on macOS, and a full-width blank; control characters and marks of direction are not."""
    name = "docs/Screenshot 9.41\u202fAM \u3000\u00a0x.yaml"
    assert unpacked(root, "a.zip", zipped((name, b"x"))) == {name: b"x"}
    for sign in ("\n", "\x1b", "\u202e", "\u2028", "\u200b"):
        refused(root, "a.zip", zipped((f"a{sign}b.yaml", b"x")))


def refusal(root: Path, name: str, content: bytes) -> str:
    return str(refused(root, name, content, UploadLimits(entries=40)))


VENV: Sequence[tuple[str, bytes]] = [(f"deep/.venv/lib/m{number}.py", b"") for number in range(60)]


@pytest.mark.parametrize(("archive", "pack"), [("a.zip", zipped), ("a.tar.gz", targz)])
def test_too_many_entries_name_the_folder_that_they_are_in(root: Path, archive: str, pack: object) -> None:
    said = refusal(root, archive, pack(("deep/main.py", MAIN), *VENV))  # type: ignore[operator]
    assert "are in 'deep/.venv/': leave it out" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (targz(TarMember(name="data/x.png", type=tarfile.SYMTYPE, linkname="y")), "'data/x.png' is a link"),
        (
            targz(TarMember(name="venv/bin/python3", type=tarfile.SYMTYPE, linkname="y")),
            "leave the environment's folder",
        ),
        (targz(("src/A.py", b""), ("src/a.py", b"")), "'src/a.py' and 'src/A.py' are one file on macOS and Windows"),
    ],
)
def test_a_refusal_has_the_whole_path_and_the_next_step(root: Path, content: bytes, words: str) -> None:
    assert words in refusal(root, "a.tar.gz", content)


def test_deflate64_is_named(root: Path) -> None:
    content = bytearray(zipped(("data/x.yaml", b"x" * 99)))
    for mark, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        content[content.index(mark) + offset] = 9
    assert "'data/x.yaml' uses Deflate64; zip again with the method Deflate" in refusal(root, "a.zip", bytes(content))


def test_all_that_is_missing_is_told_at_once(store: FilesystemStorage) -> None:
    """FLD-2: with the upload, each with the name that was perhaps meant."""
    with pytest.raises(InvalidInput) as caught:
        stored(store, zipped(("run.py", MAIN), ("conf/big.yaml", b"")), config_file="big.yml", entrypoint="main.py")
    assert [(fault.field, fault.rule) for fault in caught.value.faults] == [
        ("entrypoint", "'main.py' is not in the submission; there is 'run.py': name it as the entrypoint"),
        ("config_file", "'big.yml' is not in the submission"),
    ]


def test_a_config_file_in_another_folder_is_pointed_at(store: FilesystemStorage) -> None:
    """It may be missing: a run then has the job's own settings alone."""
    found = stored(store, zipped(("main.py", MAIN), ("conf/config.yaml", CONFIG)))
    assert found.notes == (
        "There is no config.yaml at the top, so runs begin without one; there is 'conf/config.yaml'.",
    )
    assert stored(store, zipped(("main.py", MAIN))).notes == ()


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["a/1", "a/2", "b"], "a/"),
        (["o/a/1", "o/a/2", "o/b"], "o/a/"),
        (["a", "b", "c"], ""),
        ([], ""),
        (["a/1", "b/1"], ""),
        (["a/" * 5000 + "x"] * 3, "a/" * 8),
    ],
)
def test_the_crowded_folder(names: list[str], folder: str) -> None:
    assert crowded_folder(names)[0] == folder


NAMES = st.text(st.sampled_from("a\u30ab\u3099\u00e9e\u0301/\\.:_ \u3000\u202e\n\x00-~"), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(files=st.lists(st.tuples(NAMES, st.binary(max_size=4)), max_size=5), windows=st.booleans())
def test_no_name_leaves_the_tree_or_meets_another(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, bytes]], *, windows: bool
) -> None:
    """All or nothing: each file that is not left out is one file below the root, or the whole is refused."""
    root = tmp_path_factory.mktemp("fuzz") / "tree"
    root.mkdir()
    content = of_windows(*files) if windows else with_raw_names(*((n.encode(), c) for n, c in files))
    try:
        look_and_unpack("a.zip", io.BytesIO(content), Tree(root=root, limits=SMALL_LIMITS))
    except InvalidInput:
        assert [path.name for path in root.parent.iterdir()] == ["tree"]
        return
    found = files_below(root)
    assert [path.name for path in root.parent.iterdir()] == ["tree"]
    assert len(found) <= len(files)
    assert all(unicodedata.is_normalized("NFC", name) for name in found)
