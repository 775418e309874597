"""The rules of names: what passes may become a path, everything else is named with its field and rule."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.errors import InvalidInput
from core.domain.limits import UploadLimits
from core.domain.submission import canonical, check_upload, is_archive, path_faults, shown
from tests.builders import MAIN, upload

pytestmark = pytest.mark.unit

HOSTILE = [
    "",
    " ",
    " main.py",
    "main.py ",
    "main.py\n",
    "/main.py",
    "/etc/passwd.py",
    "../main.py",
    "../../x.py",
    "a/../../main.py",
    "a/./main.py",
    "./main.py",
    "a//main.py",
    "a/",
    "..",
    ".",
    "..\\main.py",
    "a\\main.py",
    "C:main.py",
    "c:/main.py",
    "\\\\server\\share.py",
    "-rf.py",
    "a/--output.py",
    "main\x00.py",
    "main.py\x00.txt",
    "a\nb.py",
    "a\r\nSet-Cookie: x.py",
    "a\x1b[31m.py",
    "a\u202eyp.py",
    "\ud800.py",
    "\udcff.py",
    "a\u200b.py",
    "x" * 300 + ".py",
    "é" * 130 + ".py",
    "/".join(["d" * 250] * 5) + ".py",
    "/".join(["d"] * 40) + ".py",
]
GOOD = ["main.py", "src/main.py", "a b.py", ".hidden.py", "ü.py", "a..b.py", "...py", "x" * 252 + ".py"]
PATHS = st.text() | st.lists(st.sampled_from(["..", ".", "", "a", "-b", "C:", "\\", "é", "\x00", "~"])).map("/".join)


def faults_of(**changes: object) -> set[str]:
    with pytest.raises(InvalidInput) as caught:
        check_upload(upload(**changes))
    return {fault.field for fault in caught.value.faults}


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_hostile_paths(name: str) -> None:
    """H82, H89: traversal, absolute, other systems' and unprintable names have a fault that can be shown."""
    faults = path_faults("entrypoint", name)
    assert faults
    assert all(fault.field == "entrypoint" and fault.rule.encode() for fault in faults)


@pytest.mark.parametrize("name", GOOD)
def test_accepts_plain_relative_paths(name: str) -> None:
    """Ordinary names pass, also with blanks, accents and dots inside."""
    assert path_faults("files", name) == []


@pytest.mark.parametrize("field", ["entrypoint", "config_file"])
@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_hostile_names_in_both_fields(field: str, name: str) -> None:
    """SUB-4: neither the entrypoint nor the configuration file may leave the submission."""
    assert field in faults_of(**{field: name})


@given(PATHS)
@example("a/..")
@example("~/x")
def test_what_passes_stays_below_its_root(name: str) -> None:
    """A name without faults, joined to a root, is a path below this root that the system takes."""
    if path_faults("files", name):
        return
    root = Path("/root/of/tree")
    joined = Path(os.path.normpath(root / name))
    assert joined != root
    assert joined.is_relative_to(root)
    assert joined == root / name
    assert len(os.fsencode(name)) <= 1024
    assert "\x00" not in name


def test_limits_can_be_set() -> None:
    """Depth and lengths come from the limits that are given."""
    limits = UploadLimits(depth=2, name_bytes=4, path_bytes=8)
    assert path_faults("files", "ab/cd", limits) == []
    for name in ("a/b/c", "abcde", "abcd/abcd"):
        assert path_faults("files", name, limits)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.tar", "a.gz", "a.tbz", "a.exe", "requirements.txt.exe", "a.py.sh"])
def test_refuses_other_kinds_of_files(name: str) -> None:
    """SUB-2: only the named suffixes, and the rule lists them."""
    with pytest.raises(InvalidInput, match=r"allowed are .*\.zip"):
        check_upload(upload({"main.py": MAIN, name: b""}))


@pytest.mark.parametrize(
    "name", ["a.py", "a.yaml", "a.yml", "a.zip", "a.tar.gz", "requirements.txt", "A.PY", "A.TAR.GZ"]
)
def test_accepts_the_named_kinds_of_files(name: str) -> None:
    """SUB-2: each accepted suffix, in any case."""
    assert check_upload(upload({name: b""})) == {}


def test_refuses_folders_in_a_file_name() -> None:
    """Folders come as archives."""
    assert faults_of(files={"src/main.py": MAIN}) == {"files"}


def test_refuses_an_upload_of_nothing() -> None:
    """At least one file."""
    assert faults_of(files={}) == {"files"}


@pytest.mark.parametrize("name", ["main", "main.pyc", "main.PY", "main.sh"])
def test_the_entrypoint_ends_in_py(name: str) -> None:
    """SUB-4."""
    assert faults_of(entrypoint=name) == {"entrypoint"}


def test_tells_every_fault_at_once() -> None:
    """All broken rules are named in one answer."""
    found = faults_of(files={"x.exe": b""}, entrypoint="../m.py", config_file="/c", metadata="[")
    assert found == {"files", "entrypoint", "config_file", "metadata"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '"a"', "{'a': 1}", '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', '{"a": -1e999}']
    + ['{"a": "\\ud800"}', '{"\\udc00": 1}', '{"a": ' + "9" * 5000 + "}", "[" * 5000, "[" * 100_000, '{"a":' * 100_000]
    + ['{"a":' * n + "1" + "}" * n for n in (22, 100, 500, 950)],
)
def test_refuses_bad_metadata(text: str) -> None:
    """Metadata is one shallow JSON object of finite numbers and real text."""
    assert faults_of(metadata=text) == {"metadata"}


def test_answers_the_metadata() -> None:
    """What was sent is what is kept."""
    assert check_upload(upload(metadata='{"team": "ü", "n": [1, 2.5, {"x": null}]}')) == {
        "team": "ü",
        "n": [1, 2.5, {"x": None}],
    }


@given(st.text())
def test_metadata_is_kept_or_refused(text: str) -> None:
    """No text does anything but pass or be refused, and what passes can be written as strict JSON."""
    for candidate in (text, json.dumps({"a": text}), json.dumps({text: 1}, ensure_ascii=False)):
        try:
            found = check_upload(upload(metadata=candidate))
        except InvalidInput:
            continue
        assert json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


def test_one_file_has_one_canonical_name() -> None:
    """Names that fold into one on other file systems count as one."""
    assert canonical("Ü.py") == canonical("u\u0308.PY") == canonical("ü.py")
    assert canonical("a.py") != canonical("b.py")


@pytest.mark.parametrize(
    ("name", "expected"), [("a.zip", True), ("A.Tar.GZ", True), ("a.TGZ", True), ("a.gz", False), ("zip", False)]
)
def test_knows_archives_by_their_name(name: str, expected: bool) -> None:  # noqa: FBT001
    """Three suffixes, in any case."""
    assert is_archive(name) is expected


@given(st.text())
def test_a_shown_name_is_short_and_plain(name: str) -> None:
    """Hostile names appear in sentences with every sign that does not print escaped; people can read their own."""
    assert shown(name).isprintable()
    assert len(shown(name)) <= 10 * 121 + 2
