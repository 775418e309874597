"""R18: a full disk under logs and jobs: the run goes on, nothing is half written, and the log says what is missing."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.adapters.files.disk_space import UNUSABLE
from core.adapters.files.site_folders import SiteFolders
from core.domain.errors import Unavailable
from core.domain.job import MAX_ATTEMPTS, JobState
from core.domain.verdict import FailureReason
from core.ports.sandbox import Stream
from runner.engine.errors import engine_errors
from runner.job.storage_faults import StorageFaults
from runner.job_log import writer
from runner.job_log.writer import LogWriter
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = [pytest.mark.unit, pytest.mark.slow]


class Disk:
    """Takes so many bytes more, then none."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def write(self, file: int, content: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(file, content[: self.room])
        self.room -= written
        return written


def ours() -> None:
    """The job is."""


def test_a_log_goes_on_where_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is counted and told, in its place."""
    disk = Disk(9)
    monkeypatch.setattr(writer.os, "write", disk.write)
    limits = {"max_bytes": 10**6, "max_lines": 10**6, "kept_bytes": 10**6}
    with LogWriter(tmp_path / "job.log", position=tmp_path / "position", confirm=ours, **limits) as log:
        log.output(b"0123456789abc\n", Stream.STDOUT)
        log.output(b"lost\n", Stream.STDOUT)
        disk.room = 10**6
        log.output(b"back\n", Stream.STDOUT)
        assert log.printed_bytes == 24
    text = (tmp_path / "job.log").read_bytes()
    assert text == b"012345678\n\xff[leadersboard] ... 10 bytes are missing here: the disk was full ...\nback\n"


def test_a_result_that_cannot_be_kept_yet_is_not_thrown_away(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job waits for room with its attempt; the run is not repeated."""
    write, full = RunFolder._write, [True]

    def refuse(self: RunFolder, name: str, content: bytes, **how: bool) -> Any:
        if name == "ended" and full:
            full.clear()
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, name, content, **how)

    monkeypatch.setattr(RunFolder, "_write", refuse)
    monkeypatch.setattr("runner.job.release.ROOM_SECONDS", 0.01)
    job = runner.run(runner.claim(GOOD))
    assert job.state is JobState.RUNNING
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    runner.assert_nothing_left()


def test_a_run_is_not_taken_over_into_a_full_log_disk_and_costs_no_attempt(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copy of the log finds no room: it waits as it is, however often that is tried."""
    claim = runner.left_running("import time; print('begun', flush=True); time.sleep(1)\n" + GOOD)
    monkeypatch.setattr("runner.job.release.ROOM_SECONDS", 0.01)
    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfile", no_room)
        for _try in range(8):  # more than one attempt may lose runners
            assert runner.run(claim).state is JobState.RUNNING
            runner.sweeper().sweep()
            claim = runner.claim_again()
    job = runner.run(claim)
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    assert runner.log_of(job).count("begun") == 1


def test_a_job_is_not_begun_without_room_for_its_folder(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes back to the queue with its attempt."""
    monkeypatch.setattr("runner.job.release.ROOM_SECONDS", 0.01)
    with monkeypatch.context() as full:
        full.setattr(RunFolder, "make", no_room)
        assert runner.run(runner.claim(GOOD)).state is JobState.PENDING
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)


def test_a_full_disk_of_ours_is_no_fault_of_the_engine() -> None:
    """Else a run that cannot be read for want of room would be taken for one that the engine keeps from us."""
    with pytest.raises(OSError, match="No space"), engine_errors():
        no_room()
    with pytest.raises(Unavailable), engine_errors():
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")


def no_room(*_args: object, **_named: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("number", sorted(UNUSABLE - {errno.ENOSPC}))
def test_storage_that_cannot_be_written_costs_no_attempt(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whatever it answers: neither the job nor its run is thrown away, however often it is tried meanwhile."""
    broken = [f"jobs: {errno.errorcode[number]}"]
    runner.storage_faults = StorageFaults(now=lambda: broken[0] if broken else None)
    monkeypatch.setattr("runner.job.release.ROOM_SECONDS", 0.01)

    def refuse(*_args: Any, **_options: Any) -> Any:
        raise OSError(number, "broken")

    claim = runner.claim(GOOD)
    for _try in range(8):
        assert runner.run(claim).state is JobState.PENDING
        claim = runner.claim_again()
    broken.clear()
    with monkeypatch.context() as unwritten:
        unwritten.setattr(RunFolder, "end", refuse)
        assert runner.run(claim).state is JobState.RUNNING
        for _try in range(3):  # no folder is known to be broken; the error says enough
            claim = runner.claim_again()
            assert runner.run(claim).state is JobState.RUNNING
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    runner.assert_nothing_left()


def test_files_of_one_job_that_stay_broken_are_given_up(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every folder can be used: the job does not go round for ever, and its user is not charged."""
    monkeypatch.setattr("runner.job.release.ROOM_SECONDS", 0.01)

    def refuse(*_args: Any, **_options: Any) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(runner.storage, "get_submission", refuse)
    job = runner.run(runner.claim(GOOD))
    for _try in range(6 * MAX_ATTEMPTS):
        if job.is_final:
            break
        job = runner.run(runner.claim_again())
    assert (job.state, job.failure_reason, job.attempt) == (JobState.FAILED, FailureReason.PLATFORM, MAX_ATTEMPTS)


def test_a_run_whose_folder_is_gone_with_its_file_system_is_not_thrown_away(
    runner: TwinRunner[ProcessEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty folder in its place says nothing: the run is left alone, and taken over when the folder is back."""
    monkeypatch.setattr("runner.job.release.ROOM_SECONDS", 0.01)
    claim = runner.left_running("import time; print('begun', flush=True); time.sleep(1)\n" + GOOD)
    (tmp_path / "jobs").rename(tmp_path / "away")
    (tmp_path / "jobs").mkdir()
    runner.storage_faults = StorageFaults(now=lambda: "jobs: its mark is gone")
    for _try in range(3):
        assert runner.run(claim).state is JobState.RUNNING
        claim = runner.claim_again()
    shutil.rmtree(tmp_path / "jobs")
    (tmp_path / "away").rename(tmp_path / "jobs")
    runner.storage_faults = StorageFaults()
    job = runner.run(claim)
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    assert runner.log_of(job).count("begun") == 1


def test_a_result_whose_files_are_not_mounted_now_is_not_recorded_without_them(
    runner: TwinRunner[ProcessEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the folder with its attempt, and has every file then."""
    jobs, aside = tmp_path / "jobs", tmp_path / "aside"
    gone: list[str] = []
    runner.storage_faults = StorageFaults(now=lambda: gone[0] if gone else None)
    monkeypatch.setattr("runner.job.release.ROOM_SECONDS", 0.01)

    def unmount(artifacts: Path, _job_log: Path) -> None:
        gone.append("jobs: its file is gone")
        jobs.rename(aside)
        jobs.mkdir()
        assert not artifacts.exists()

    with monkeypatch.context() as broken:
        broken.setattr("runner.job.record.add_log", unmount)
        assert runner.run(runner.claim(GOOD)).state is JobState.RUNNING
    gone.clear()
    shutil.rmtree(jobs)
    aside.rename(jobs)
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    known = runner.results.get(job.job_id)
    assert known is not None
    assert "curves/roc.png" in {file.path for file in known.result.files}


def test_a_log_that_went_into_an_empty_folder_is_in_the_sites_own_when_the_job_ends(
    runner: TwinRunner[ProcessEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file system was not mounted when the log was begun, nor at the end: the job ends when it is."""
    logs, aside = tmp_path / "logs", tmp_path / "aside"
    claim = runner.claim(GOOD)
    logs.rename(aside)
    logs.mkdir()
    looks: list[str] = []

    def is_foreign(_self: SiteFolders, name: str) -> bool:
        looks.append(name)
        if len(looks) == 2:
            shutil.rmtree(logs)
            aside.rename(logs)
        return len(looks) < 3

    monkeypatch.setattr(SiteFolders, "is_foreign", is_foreign)
    monkeypatch.setattr("runner.job.release.FOREIGN_SECONDS", 0.01)
    job = runner.run(claim)
    assert (job.state, looks) == (JobState.COMPLETED, ["logs"] * 3)
    assert "hello from the run" in runner.log_of(job)
    assert runner.log_of(job).rstrip().endswith("Ended: completed")
