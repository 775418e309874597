"""What `scripts/weights` takes, places, refuses and removes (FLD-6)."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.adapters.files import weights_intake
from core.adapters.files.hub_repository import Refused
from core.adapters.files.weights_command import main
from core.adapters.files.weights_intake import INCOMING, Placed, take
from core.domain.limits import GIB

pytestmark = pytest.mark.unit

LINK = {"blobs/b1": b"tensors", "snapshots/r1/model.safetensors": "../../blobs/b1", "refs/main": b"r1"}


def packed(name: str, files: Mapping[str, bytes | str], kind: bytes = tarfile.REGTYPE) -> io.BytesIO:
    """A tar of these files below `name`; text is the target of a link, "" the thing itself."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(f"{name}/{path}" if path else name)
            info.mode = 0o600
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.type, info.size = kind, len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) and info.size else None)
    out.seek(0)
    return out


def added(root: Path, name: str, files: Mapping[str, bytes | str], repository: str = "", size: int = 1) -> Placed:
    return take(root, packed(name, files), name=name, size=size, repository=repository)


def below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() or path.is_symlink())


def refused(root: Path, name: str, files: Mapping[str, bytes | str], repository: str = "", size: int = 1) -> str:
    before = below(root)
    with pytest.raises(Refused) as caught:
        added(root, name, files, repository, size)
    assert below(root) == before  # nothing of it is left
    assert not list((root / INCOMING).glob("*"))
    return str(caught.value)


def test_a_checkpoint_goes_where_torch_hub_looks_and_everybody_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    placed = added(tmp_path, "w-9ba9bcbe.pth", {"": b"tensors"})
    os.umask(before)
    path = tmp_path / "hub/checkpoints/w-9ba9bcbe.pth"
    assert (placed.path, path.read_bytes()) == ("hub/checkpoints/w-9ba9bcbe.pth", b"tensors")
    assert placed.sums == {"": hashlib.sha256(b"tensors").hexdigest()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o755}


def test_a_folder_of_the_hub_has_files_in_the_place_of_its_links(tmp_path: Path) -> None:
    """As `hf download` leaves it; blobs, locks and notes of what is missing are left out."""
    placed = added(tmp_path, "models--org--net", {**LINK, ".no_exist/r1/x": b"", ".locks/y": b""})
    assert below(tmp_path / placed.path) == ["refs/main", "snapshots/r1/model.safetensors"]
    assert (tmp_path / placed.path / "snapshots/r1/model.safetensors").read_bytes() == b"tensors"
    assert placed.left_out == 2


def test_a_revision_that_was_asked_for_by_number_is_found_as_main(tmp_path: Path) -> None:
    placed = added(tmp_path, "models--org--net", {"snapshots/r1/w": b"x"})
    assert (tmp_path / placed.path / "refs/main").read_text() == "r1"


@pytest.mark.parametrize("files", [{"": b"x"}, {"a": b"x", "sub/b": b"y"}])
def test_a_file_or_folder_becomes_a_repository(tmp_path: Path, files: dict[str, bytes | str]) -> None:
    name = "model.safetensors" if "" in files else "net"
    placed = added(tmp_path, name, files, "timm/r18.a1_in1k")
    folder = tmp_path / "hub/models--timm--r18.a1_in1k"
    revision = (folder / "refs/main").read_text()
    assert placed.path == "hub/models--timm--r18.a1_in1k"
    assert below(folder / "snapshots" / revision) == [path or name for path in files]


@pytest.mark.parametrize(("name", "files", "told"), [
    ("models--org--net", {"snapshots/r1/w": "../../blobs/b9"}, "is the download complete?"),
    ("models--org--net", {"snapshots/r1/w": "/etc/passwd"}, "which is not there"),
    ("models--org--net", {"snapshots/r1/w": "../../../../../etc/passwd"}, "which is not there"),
    ("models--org--net", {"refs/main": b"r1"}, "has no files below snapshots/"),
    ("models--org--net", {"snapshots/r1/w": b"x", "refs/main": b"r2"}, "does not say in refs/main"),
    ("models--org", {"snapshots/../../../x": b"x"}, "must not contain '..'"),
    ("models--a--b--c", {"w": b"x"}, "are called models--ORGANISATION--NAME"),
    ("net", {"w": "/etc/passwd"}, "'w' is a link: put the file itself in its place"),
    ("net", {"a/../../../x": b"x"}, "must not contain '..'"), ("net", {"a\nb": b"x"}, "must consist of printable"),
    ("net", {"-x": b"x"}, "no part may begin with '-'"), ("net", {".hidden": b"x"}, "holds no files"),
    ("net", {}, "holds no files"), ("-net", {"": b"x"}, "must have letters"), ("a b", {"": b"x"}, "Rename it"),
    ("..", {"": b"x"}, "must have letters"), ("a\u202eb", {"": b"x"}, "'a\\u202eb' must have"),
    ("x" * 121, {"": b"x"}, "at most 120"), ("hub", {"x": b"x"}, "a whole cache"),
    ("checkpoints", {"x.pth": b"x"}, "add what lies in it"),
    (".incoming", {"x": b"x"}, "must have letters"),
])  # fmt: skip
def test_what_cannot_be_used_is_refused_in_words(
    tmp_path: Path, name: str, files: dict[str, bytes | str], told: str
) -> None:
    assert told in refused(tmp_path, name, files)


@pytest.mark.parametrize("repository", ["../x", "a/b/c", "a--b", "-x/y", "a/", "/etc"])
def test_odd_repositories_are_refused(tmp_path: Path, repository: str) -> None:
    assert "is no ORGANISATION/NAME" in refused(tmp_path, "w", {"": b"x"}, repository)


def test_links_do_not_become_files_of_a_repository(tmp_path: Path) -> None:
    assert "is a link" in refused(tmp_path, "net", {"w": b"x", "l": "/etc/passwd"}, "org/net")


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.LNKTYPE])
def test_devices_pipes_and_hard_links_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(Refused, match="neither file nor folder"):
        take(tmp_path, packed("net", {"x": b""}, kind), name="net", size=1)
    assert below(tmp_path) == []


def test_a_stream_of_another_thing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="'other/x' is not below 'net'"):
        take(tmp_path, packed("other", {"x": b""}), name="net", size=1)
    assert below(tmp_path) == []


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    added(tmp_path, "w.pth", {"": b"old"})
    assert "is there already. `scripts/weights remove` it first" in refused(tmp_path, "w.pth", {"": b"new"})
    assert (tmp_path / "hub/checkpoints/w.pth").read_bytes() == b"old"


def test_too_little_room_is_told_before_and_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is not enough room: it has" in refused(tmp_path, "w", {"": b"x"}, size=10**18)
    free = iter([2 * GIB, GIB // 2])
    monkeypatch.setattr(weights_intake.shutil, "disk_usage", lambda _path: SimpleNamespace(free=next(free)))
    assert "The disk is full" in refused(tmp_path, "w", {"": b"x"})


def test_a_stream_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    whole = packed("w", {"": b"x" * 5000}).getvalue()
    for cut in (0, 100, 600, 3000):
        with pytest.raises(Refused):
            take(tmp_path, io.BytesIO(whole[:cut]), name="w", size=1)
    assert below(tmp_path) == []


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_intake, "MOST_FILES", 3)
    assert "more than 3 files" in refused(tmp_path, "net", {str(n): b"" for n in range(4)})


def told(root: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with suppress(SystemExit):
        main(arguments, root)
    found = capsys.readouterr()
    return found.out + found.err


def test_the_command_lists_sums_up_and_removes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "There are none yet: scripts/weights add" in told(tmp_path, capsys, "list")
    added(tmp_path, "w.pth", {"": b"x"})
    added(tmp_path, "net", {"a": b"x"}, "org/net")
    listed = told(tmp_path, capsys, "list")
    assert (
        'w.pth  0.0 MB  checkpoint  torchvision\'s weights=…, torch.hub.load_state_dict_from_url(".../w.pth")' in listed
    )
    sums = told(tmp_path, capsys, "sums", "w.pth")
    assert sums == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  hub/checkpoints/w.pth\n"
    assert "There are no weights 'x'. `scripts/weights list` has: org/net, w.pth" in told(
        tmp_path, capsys, "remove", "x"
    )
    assert "Removed org/net" in told(tmp_path, capsys, "remove", "org/net")
    assert below(tmp_path) == ["hub/checkpoints/w.pth"]


def test_the_command_says_how_what_was_added_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=packed("model.safetensors", {"": b"x"})))
    said = told(tmp_path, capsys, "add", "--size", "1", "--", "model.safetensors")
    assert 'the path "/weights/model.safetensors"' in said
    assert "add it again with --repository ORGANISATION/NAME" in said
