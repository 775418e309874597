"""The storage port's contract for archives as machines of all kinds make them, with any names (FLD-1, SUB-3, SUB-6)."""

from __future__ import annotations

import io
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.adapters.files.member_names import is_companion, plain
from core.domain.errors import InvalidInput
from core.domain.submission import Submission, Upload, UploadedFile, canonical
from core.ports.storage import StoragePort
from tests.builders import targz, zipped
from tests.contract.storage.folders import storage_at, strays
from tests.unit.core.made_zips import of_windows, with_raw_names

pytestmark = pytest.mark.contract

ORDINARY = ["a", "A", "src", "main.py", "config.yaml", "\u30ac", "\u8868", "\u3000", "x.py", "._a", "Thumbs.db"]
PARTS = [
    "Main.py", "\u30ab\u3099", "\u00e9", "e\u0301", "..", ".", "", "-x", "c:", " ", "\u202e", "\x00", "\x1b", "\n",
    "__MACOSX", "\\", "..\\..", "a\\main.py", "x" * 300, "\u30ab\u3099.py", "\udc95\\", "\udc81", "\udcff",
]  # fmt: skip
"""The last three are bytes of names without a flag: a letter of cp932, half of one, and a byte of no encoding."""
NAMES = st.lists(st.sampled_from(4 * ORDINARY + PARTS), min_size=1, max_size=3).map("/".join)
"""Mostly ordinary ones, so that many archives are stored."""
OUTER = st.sampled_from(
    [*[""] * 6, *["my-padim/"] * 4, "__MACOSX/", "\u30ac/", "\u30ab\u3099/", "../", "./", "/", "a\\", "\udcff/"]
)
ENTRYPOINTS = st.sampled_from([
    *[("main.py", "main.py")] * 4, ("src/main.py", "src/main.py"), ("main.py", "my-padim/main.py"),
    ("main.py", "absent.py"), ("\u30ac.py", "\u30ac.py"), ("\u30ab\u3099.py", "\u30ac.py"),
    ("\u30ac.py", "\u30ab\u3099.py"),
])  # fmt: skip
"""The member that is meant, and how the upload names it."""
CONTENT = st.binary(max_size=6)
MEMBERS = st.lists(st.tuples(NAMES, CONTENT), max_size=3)
KINDS = ("zip", "windows", "cp932", "utf-8", "raw", "tgz")
Members = Sequence[tuple[str, bytes]]


def packed(kind: str, members: Members) -> tuple[str, bytes, list[tuple[str, bytes]]]:
    """The archive's name and bytes, and its members with their names as they are meant."""
    if kind == "raw":
        raw = [(name.encode(errors="surrogateescape"), content) for name, content in members]
        meant = [(_read(name), content) for name, content in raw]
        return "a.zip", with_raw_names(*raw), [(name.replace("\\", "/"), content) for name, content in meant]
    members = [(name.encode(errors="replace").decode(), content) for name, content in members]
    meant = list(members)
    if kind == "tgz":
        meant = [(name.replace("\x00", "_"), content) for name, content in members]
        return "A.TGZ", targz(*meant), meant
    if kind == "windows":
        return "a.ZIP", of_windows(*members), [(name.replace("\\", "/"), content) for name, content in members]
    if kind == "zip":
        return "a.zip", zipped(*members), meant
    raw = [(name.encode(kind, "replace"), content) for name, content in members]
    meant = [(name.decode(kind), content) for name, content in raw]
    return "a.zip", with_raw_names(*raw), [(name.replace("\\", "/"), content) for name, content in meant]


def _read(name: bytes) -> str:
    """A name without the UTF-8 flag as it is meant; one of no encoding is never stored."""
    for encoding in ("utf-8", "cp932"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return "refused"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=MEMBERS, outer=OUTER, kind=st.sampled_from(KINDS), entrypoint=ENTRYPOINTS)
@example(members=[("Main.py", b"2")], outer="", kind="zip", entrypoint=("main.py", "main.py"))
@example(
    members=[("main.py", b"1"), ("\u8868.py", b"2")], outer="my-padim/", kind="cp932", entrypoint=("main.py", "main.py")
)
@example(
    members=[("main.py", b"1"), ("\u30ac", b"2"), ("\u30ab\u3099", b"3")],
    outer="",
    kind="zip",
    entrypoint=("main.py", "main.py"),
)
@example(
    members=[("main.py", b"1"), ("..\\..\\x", b"2")], outer="a\\", kind="windows", entrypoint=("main.py", "main.py")
)
@example(members=[("\udc95\\.py", b"2")], outer="my-padim/", kind="raw", entrypoint=("main.py", "my-padim/main.py"))
@example(members=[("\udcff", b"2")], outer="", kind="raw", entrypoint=("main.py", "main.py"))
@example(members=[("\u30ac\u30ac", b"2")], outer="", kind="utf-8", entrypoint=("main.py", "main.py"))
@example(
    members=[("\u30ab\u3099.py", b"2")], outer="\u30ab\u3099/", kind="zip", entrypoint=("\u30ab\u3099.py", "\u30ac.py")
)
def test_each_member_is_one_file_or_nothing_is_stored(
    tmp_path: Path, members: Members, outer: str, kind: str, entrypoint: tuple[str, str]
) -> None:
    """No path leaves the tree, no two members are one file, and a refused upload leaves nothing."""
    root = tmp_path / "site"
    shutil.rmtree(root, ignore_errors=True)
    storage = storage_at(root)
    member, asked = entrypoint
    inside = [(member, b"run"), *members]
    name, content, meant = packed(kind, [(outer + one, raw) for one, raw in inside])
    try:
        found = _stored(storage, name, content, asked)
    except InvalidInput:
        assert (strays(root), storage.list_submissions().submissions) == ([], ())
        assert list(tmp_path.iterdir()) == [root]
        return
    assert list(tmp_path.iterdir()) == [root]
    kept = [(plain(path), raw) for path, raw in meant if not path.endswith("/") and not is_companion(plain(path))]
    folder = storage.submission_files(found.submission_id)
    below = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found.entrypoint in below
    assert sorted(below) == sorted(file.path for file in found.files)
    assert sorted(below.values()) == sorted(raw for _path, raw in kept)
    assert all(any(path.endswith(stored) for path, _raw in kept) for stored in below)
    assert len(set(map(canonical, below))) == len(below)
    assert all(unicodedata.is_normalized("NFC", path) for path in below)


def _stored(storage: StoragePort, name: str, content: bytes, entrypoint: str) -> Submission:
    files = [UploadedFile(name=name, content=io.BytesIO(content))]
    return storage.create_submission(Upload(user_id="ann", files=files, entrypoint=entrypoint), {})
