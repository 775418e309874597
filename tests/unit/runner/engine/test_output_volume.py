"""What is copied of a run's output: every plain file under its own name; what is left out is named (FLD-7)."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from core.domain.applied_config import FILE as CONFIG_FILE
from core.domain.limits import SMALL
from runner.engine.output.volume import OutputWalk
from tests.odd_names import ODD_NAMES

pytestmark = pytest.mark.unit

JOB = "1" * 32


@pytest.fixture
def walk(tmp_path: Path) -> OutputWalk:
    return OutputWalk(tmp_path, job_id=JOB, limits=SMALL)


def packed(*names: str, links: tuple[str, ...] = ()) -> io.BytesIO:
    """An archive of /out as the engine sends it; each file holds its own name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            info, content = tarfile.TarInfo(f"out/{name}"), name.encode(errors="surrogateescape")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name in links:
            info = tarfile.TarInfo(f"out/{name}")
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(info)
    stream.seek(0)
    return stream


def found_in(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_names_of_any_script_and_sign_are_kept(walk: OutputWalk, tmp_path: Path) -> None:
    walk.copy(packed(*ODD_NAMES))
    assert walk.notices == []
    assert found_in(tmp_path) == {name: name for name in ODD_NAMES}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a\nb.png", "'a\\nb.png' was left out: its name must not contain control characters."),
        ("logs", "'logs' was left out: the name is the platform's own."),
        (f"logs/{JOB}.log", f"'logs/{JOB}.log' was left out: the name is the platform's own."),
        (f"logs/{JOB}.log/x", f"'logs/{JOB}.log/x' was left out: the name is the platform's own."),
        ("leadersboard", "'leadersboard' was left out: the name is the platform's own."),
        (CONFIG_FILE, f"'{CONFIG_FILE}' was left out: the name is the platform's own."),
        (f"{CONFIG_FILE}/x", f"'{CONFIG_FILE}/x' was left out: the name is the platform's own."),
        ("d/" * 40 + "x", "must be at most 32 levels deep"),
        ("\udcff.png", "'\\udcff.png' was left out: its name must be UTF-8."),
    ],
)
def test_what_is_left_out_is_named_with_the_reason(walk: OutputWalk, tmp_path: Path, name: str, words: str) -> None:
    walk.copy(packed(name, "fine.txt"))
    assert list(found_in(tmp_path)) == ["fine.txt"]
    assert words in walk.notices[0]


def test_a_link_is_left_out_in_words(walk: OutputWalk, tmp_path: Path) -> None:
    walk.copy(packed("fine.txt", links=("ネジ",)))
    assert list(found_in(tmp_path)) == ["fine.txt"]
    assert walk.notices == ["'ネジ' was left out: it is a link, a device or a sparse file; write the file itself."]


def test_a_name_that_the_platforms_disk_refuses_costs_no_other_file(
    walk: OutputWalk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems take 143 bytes."""
    write = walk.tree.add_file

    def short_names_only(name: str, content: tarfile.ExFileObject) -> None:
        if len(name) > 143:
            raise OSError(36, "File name too long")
        write(name, content)

    monkeypatch.setattr(walk.tree, "add_file", short_names_only)
    walk.copy(packed("n" * 200, "fine.txt"))
    assert list(found_in(tmp_path)) == ["fine.txt"]
    assert "the platform's disk does not take its name (File name too long)" in walk.notices[0]
