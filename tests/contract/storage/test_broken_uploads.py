"""The storage port's contract for uploads that are refused, killed, or at work elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.domain.errors import LeadersboardError
from tests.conftest import REPOSITORY
from tests.contract.storage.folders import storage_at, strays, uploaded

pytestmark = pytest.mark.contract


def test_a_refused_upload_leaves_nothing(tmp_path: Path) -> None:
    """SUB-6: not in the folders, not in the lists."""
    storage = storage_at(tmp_path)
    with pytest.raises(LeadersboardError):
        uploaded(storage, code__zip=b"this is no zip")
    assert strays(tmp_path) == []
    assert storage.list_submissions().submissions == ()


SLOW_UPLOAD = """
import io, pathlib, sys
from tests.contract.storage.folders import storage_at, uploaded
from core.domain.submission import Upload, UploadedFile
class Slow(io.BytesIO):
    def read(self, size=-1):
        print("reading", flush=True)
        sys.stdin.readline()
        return super().read(size)
root = pathlib.Path(sys.argv[1])
files = [UploadedFile(name="main.py", content=Slow(b"print(1)"))]
storage_at(root).create_submission(Upload(user_id="ann", files=files), {})
print("done", flush=True)
"""


@pytest.fixture
def slow_upload(tmp_path: Path) -> subprocess.Popen[str]:
    """Another gateway in the middle of an upload; a line to it lets it go on."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_UPLOAD, str(tmp_path)], cwd=REPOSITORY, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    return process


def test_an_upload_of_another_gateway_is_not_cleared_away(tmp_path: Path, slow_upload: subprocess.Popen[str]) -> None:
    """SUB-6: a gateway that starts leaves the living uploads of others alone, however old they are."""
    (stage,) = (tmp_path / ".staging").iterdir()
    os.utime(stage, (time.time() - 3600, time.time() - 3600))
    assert storage_at(tmp_path).clear_staging() == 0
    out, _ = slow_upload.communicate("\n" * 9, timeout=120)
    assert out.endswith("done\n")
    assert len(storage_at(tmp_path).list_submissions().submissions) == 1


def test_an_upload_that_was_killed_is_cleared_away_at_once(tmp_path: Path, slow_upload: subprocess.Popen[str]) -> None:
    """SUB-6: after kill -9 the next start leaves no submission and no stray file, however young it is."""
    slow_upload.send_signal(signal.SIGKILL)
    slow_upload.communicate(timeout=120)
    storage = storage_at(tmp_path)
    assert storage.clear_staging() == 1
    assert strays(tmp_path) == []
    assert storage.list_submissions().submissions == ()


def test_an_upload_that_has_no_name_yet_is_left_alone_while_it_is_young(tmp_path: Path) -> None:
    """SUB-6: between the making of a folder and its lock nobody can tell it from one that was left."""
    storage = storage_at(tmp_path)
    storage.clear_staging()
    unnamed = tmp_path / ".staging" / f".{'0' * 32}"
    unnamed.mkdir()
    assert storage.clear_staging() == 0
    os.utime(unnamed, (time.time() - 100, time.time() - 100))
    assert storage.clear_staging() == 1


def test_a_kill_before_the_rename_leaves_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUB-6: an entry is written before its submission is visible; without it, it goes with the staging folder."""
    storage = storage_at(tmp_path)

    class Killed(BaseException):
        """The process ends here."""

    def killed(_path: Path, _target: Path) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        original = Path.rename
        broken.setattr(
            Path, "rename", lambda path, to: killed(path, to) if to.parent.samefile(tmp_path) else original(path, to)
        )
        broken.setattr("core.adapters.files.staging.shutil.rmtree", lambda *_args, **_more: None)
        with pytest.raises(Killed):
            uploaded(storage)
    assert strays(tmp_path) != []
    assert storage.list_submissions().submissions == ()
    storage.clear_staging()
    assert strays(tmp_path) == []
