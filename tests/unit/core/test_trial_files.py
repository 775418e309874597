"""The files of trials on disk: whole, bounded, nothing outside their folder, gone after a day."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from core.adapters.files.trial_files import FOLDER, KEPT_BYTES, KEPT_SECONDS, TrialFiles, fitting
from core.domain.errors import NotFound, Unavailable
from tests.builders import job_id

pytestmark = pytest.mark.unit

NAMES = ["曲線/ネジ.png", "a b#%?.txt", "-x", "deep/er/still.bin"]


@pytest.fixture
def files(tmp_path: Path) -> TrialFiles:
    (tmp_path / "logs").mkdir()
    for name in NAMES:
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(name.encode())
    return TrialFiles(tmp_path / "logs")


def read(files: TrialFiles, path: str, number: int = 1) -> bytes:
    with files.content(job_id(number), path) as content:
        found = b"".join(content.pieces)
        assert content.size_bytes == len(found)
    return found


def test_files_keep_their_names(files: TrialFiles, tmp_path: Path) -> None:
    """Whatever their script; kept again, they are replaced as a whole."""
    files.keep(job_id(1), tmp_path / "out", NAMES)
    assert [read(files, name) for name in NAMES] == [name.encode() for name in NAMES]
    files.keep(job_id(1), tmp_path / "out", NAMES[:1])
    with pytest.raises(NotFound):
        read(files, NAMES[1])
    assert [path.name for path in (tmp_path / "logs" / FOLDER).iterdir()] == [job_id(1)]


@pytest.mark.parametrize(
    "path", ["../x.log", "..", "", "/etc/passwd", "deep", "deep/er/still.bin/x", "a\nb", "nothing"]
)
def test_no_path_leads_out_of_the_folder(files: TrialFiles, tmp_path: Path, path: str) -> None:
    """Another trial's files and the logs beside them are not there."""
    (tmp_path / "logs" / FOLDER).mkdir()
    (tmp_path / "logs" / FOLDER / "x.log").write_text("another's")
    files.keep(job_id(1), tmp_path / "out", NAMES)
    with pytest.raises(NotFound):
        read(files, path)
    with pytest.raises(NotFound), files.content("../logs", "x"):
        pass


def test_a_disk_that_fails_leaves_no_half(files: TrialFiles, tmp_path: Path) -> None:
    """A missing source stands for any error of the disk."""
    with pytest.raises(FileNotFoundError):
        files.keep(job_id(1), tmp_path / "out", [*NAMES, "missing"])
    assert list((tmp_path / "logs" / FOLDER).iterdir()) == []
    assert not files.are_kept(job_id(1))


def test_after_a_day_they_are_gone(files: TrialFiles, tmp_path: Path) -> None:
    """Half-made folders of dead runners, too; younger ones stay."""
    assert list(files.remove_old()) == []
    for number in (1, 2):
        files.keep(job_id(number), tmp_path / "out", NAMES)
    (tmp_path / "logs" / FOLDER / ".half").mkdir()
    for name in (job_id(1), ".half"):
        os.utime(tmp_path / "logs" / FOLDER / name, (then := time.time() - KEPT_SECONDS - 1, then))
    assert sorted(files.remove_old()) == [".half", job_id(1)]
    assert (files.are_kept(job_id(1)), files.are_kept(job_id(2))) == (False, True)


def test_storage_that_is_away_is_said_so(tmp_path: Path) -> None:
    """No folder of logs: nothing is claimed to be gone."""
    with pytest.raises(Unavailable):
        TrialFiles(tmp_path / "nowhere").are_kept(job_id(1))


def test_what_fits_is_kept_in_its_order() -> None:
    """A large file costs only itself."""
    assert fitting({"a": 1, "b": KEPT_BYTES, "c": KEPT_BYTES - 1}) == ["a", "c"]
