"""Folders become archives: the same bytes each time, and only what belongs in."""

import os
import tarfile
from pathlib import Path

import pytest

from client.api.archive import CannotPack, environments_in, uploads_of

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A submission with the usual litter around it."""
    root = tmp_path / "mine"
    for name in ("main.py", "src/model.py", ".git/config", "__pycache__/a.pyc", "src/__pycache__/b.pyc", ".env"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_only_what_belongs_in_is_packed(folder: Path) -> None:
    """Hidden files and caches stay out; folders stay folders."""
    with uploads_of(folder) as upload, tarfile.open(upload) as archive:
        assert archive.getnames() == ["main.py", "src/model.py"]
        assert upload.name == "submission.tar.gz"


def test_neither_environments_nor_companions_are_packed(folder: Path) -> None:
    """FLD-1: a virtual environment under any name, by the file that marks one; what macOS and Windows add."""
    for name in ("venv39/pyvenv.cfg", "venv39/bin/activate", "__MACOSX/main.py", "Thumbs.db", "src/Desktop.ini"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "venv39" / "bin" / "python").symlink_to("/usr/bin/python3")
    with uploads_of(folder) as upload, tarfile.open(upload) as archive:
        assert archive.getnames() == ["main.py", "src/model.py"]


@pytest.mark.parametrize("mark", ["env/pyvenv.cfg", "tools/py/conda-meta/history", ".venv/pyvenv.cfg"])
def test_environments_are_named_once(folder: Path, mark: str) -> None:
    """Field case 13: of venv and of conda, by what marks them; one inside another is not named as well."""
    inner = Path(mark).parent if mark.endswith(".cfg") else Path(mark).parent.parent
    for name in (mark, f"{inner}/lib/inner/pyvenv.cfg", f"{inner}/lib/x.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    assert environments_in(folder) == [inner.as_posix()]
    with uploads_of(folder) as upload, tarfile.open(upload) as archive:
        assert archive.getnames() == ["main.py", "src/model.py"]


@pytest.mark.parametrize("name", ["old/bin/python", "lib64"])
def test_a_link_of_an_environment_that_is_not_left_out_says_what_to_do(folder: Path, name: str) -> None:
    """One without its mark, and one made in the submission's own folder."""
    if name == "lib64":
        (folder / "pyvenv.cfg").touch()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to("/usr/bin/python3")
    with pytest.raises(CannotPack, match="Move the environment out of"), uploads_of(folder):
        pass


@pytest.mark.parametrize("name", ["a.tgz", "A.ZIP", "a.TAR.GZ", "Main.PY"])
def test_files_go_by_their_suffix_in_any_case(tmp_path: Path, name: str) -> None:
    """As the platform takes them."""
    (tmp_path / name).write_bytes(b"x")
    with uploads_of(tmp_path / name) as upload:
        assert upload.name == name


def test_the_same_files_are_the_same_bytes(folder: Path) -> None:
    """Neither times nor owners nor modes change the archive."""
    with uploads_of(folder) as upload:
        first = upload.read_bytes()
    os.utime(folder / "main.py", (1, 1))
    (folder / "main.py").chmod(0o755)
    with uploads_of(folder) as upload:
        assert upload.read_bytes() == first


def test_the_archive_goes_when_it_was_used(folder: Path) -> None:
    """Nothing is left in the temporary folder."""
    with uploads_of(folder) as upload:
        assert upload.exists()
    assert not upload.exists()


def test_a_link_is_refused_by_name(folder: Path) -> None:
    """A link is not followed and not dropped silently."""
    (folder / "data").symlink_to("/etc")
    with pytest.raises(CannotPack, match="data is a link"), uploads_of(folder):
        pass


@pytest.mark.parametrize("name", ["notes.docx", "missing.py"])
def test_what_cannot_be_submitted_is_told(tmp_path: Path, name: str) -> None:
    """Another kind of file, or none, is refused in words."""
    (tmp_path / "notes.docx").touch()
    with pytest.raises(CannotPack, match="neither a folder nor"), uploads_of(tmp_path / name):
        pass


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without files is told so before anything is sent."""
    with pytest.raises(CannotPack, match="no file"), uploads_of(tmp_path):
        pass


def test_a_single_file_goes_as_it_is(tmp_path: Path) -> None:
    """A program or archive is uploaded itself."""
    (tmp_path / "main.py").touch()
    with uploads_of(tmp_path / "main.py") as upload:
        assert upload == tmp_path / "main.py"
