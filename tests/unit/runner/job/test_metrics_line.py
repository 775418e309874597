"""The look at a program that left no metrics.json: bounded, and only for a sentence."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.adapters.files.storage import FilesystemStorage
from core.domain.limits import UploadLimits
from core.domain.submission import Submission, Upload, UploadedFile
from runner.job.metrics_line import MOST_BYTES, MOST_FILES, metrics_line
from tests.builders import zipped

pytestmark = pytest.mark.unit

AMISS = b"import json\nopen('metrics.json', 'w')\n"


def looked(root: Path, *files: tuple[str, bytes], entrypoint: str = "main.py") -> str:
    for name in ("submissions", "logs"):
        (root / name).mkdir(parents=True)
    storage = FilesystemStorage(
        upload_root=root / "submissions", log_root=root / "logs", limits=UploadLimits(), min_free_bytes=0
    )
    uploaded = [UploadedFile(name="a.zip", content=io.BytesIO(zipped(*files)))]
    found: Submission = storage.create_submission(Upload(user_id="ann", files=uploaded, entrypoint=entrypoint), {})
    return metrics_line(storage.submission_files(found.submission_id), found)


def test_the_entrypoint_is_looked_at_first(tmp_path: Path) -> None:
    files = [("a.py", AMISS), ("main.py", b"pass\n" + AMISS), ("notes.txt", AMISS)]
    assert looked(tmp_path, *files) == "main.py, line 3,"


def test_then_its_modules(tmp_path: Path) -> None:
    assert looked(tmp_path, ("main.py", b"import src.report"), ("src/report.py", AMISS)) == "src/report.py, line 2,"


def test_nothing_is_said_of_a_program_that_names_none(tmp_path: Path) -> None:
    assert looked(tmp_path, ("main.py", b"print(1)"), ("metrics.txt", AMISS)) == ""


def test_it_reads_only_so_much(tmp_path: Path) -> None:
    """Neither a large file nor many files hold up a job; bytes that are no text do no harm."""
    assert looked(tmp_path / "a", ("main.py", b"#" * MOST_BYTES + b"\n" + AMISS)) == ""
    many = [(f"m{number:03}.py", b"pass") for number in range(MOST_FILES)]
    assert looked(tmp_path / "b", ("main.py", b"pass"), *many, ("z.py", AMISS)) == ""
    assert looked(tmp_path / "c", ("main.py", b"\xff\xfe\n" + AMISS)) == "main.py, line 3,"
