"""Which processes live, told by their locks: what goes with a dead one goes, and what a living one has stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path

import pytest

from core.adapters.files.bounded_look import BoundedLook
from runner.lease.claim_locks import ClaimLocks
from runner.lease.living_processes import FOLDER, KEPT_SECONDS, LivingProcesses
from runner.recovery.janitor import Janitor
from runner.recovery.site_names import SiteNames
from runner.requirements.cache import DependencyCache
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner, when

pytestmark = pytest.mark.unit

HOLDS = """
import sys
from pathlib import Path
from runner.lease.living_processes import LivingProcesses
with LivingProcesses(job_root=Path(sys.argv[1]), host="here").living() as mark:
    print(mark, flush=True)
    sys.stdin.read()
"""


def of(root: Path, host: str = "here") -> LivingProcesses:
    return LivingProcesses(job_root=root, host=host)


def test_a_killed_process_is_known_to_be_dead_and_a_living_one_is_not(tmp_path: Path) -> None:
    """By the kernel's unlocking alone; nothing is waited for."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        mark = other.stdout.readline().strip()
        assert not of(tmp_path).is_dead(mark)
        other.kill()
        other.wait(10)
        assert of(tmp_path).is_dead(mark)
        assert not of(tmp_path, "there").is_dead(mark), "another host's locks need not be seen here"


@pytest.mark.parametrize("mark", ["", "here-", "here-unknown", "here-../../x", "there-1", "here"])
def test_a_mark_of_which_nothing_is_known_is_not_dead(tmp_path: Path, mark: str) -> None:
    """Labels in the engine may be anybody's: age decides about those."""
    with of(tmp_path).living():
        assert not of(tmp_path).is_dead(mark)


def test_the_file_of_a_dead_process_stays_for_what_the_engine_is_still_doing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that it asked for may come a moment after its death."""
    processes = of(tmp_path)
    with processes.living() as mark:
        assert list(processes.forget()) == []
    assert list(processes.forget()) == []
    assert processes.is_dead(mark)
    now = time.monotonic()
    monkeypatch.setattr("runner.lease.living_processes.time.monotonic", lambda: now + KEPT_SECONDS + 1)
    assert list(processes.forget()) == [mark]
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_the_file_of_a_wiped_engine_goes_after_a_day_and_a_living_process_touches_its_own(tmp_path: Path) -> None:
    processes = of(tmp_path)
    with processes.living() as mark, of(tmp_path, "there").living() as other:
        for name in (mark, other):
            os.utime(tmp_path / FOLDER / name, (1, 1))
        janitor = Janitor(
            engine=ProcessEngine(tmp_path), processes=processes, mark=mark,
            cache=DependencyCache(job_root=tmp_path, kept_bytes=0),
        )  # fmt: skip
        assert dict(janitor.of_the_dead())["process"] == 1
        assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [mark]


@pytest.mark.parametrize("missing", [True, False])
def test_what_a_disk_does_not_take_at_boot_is_made_once_it_does(tmp_path: Path, *, missing: bool) -> None:
    """Its runs go on; what goes with the process is told by age until then, and by its lock afterwards."""
    jobs = tmp_path / "jobs"
    if not missing:
        jobs.write_text("a file where the folder should be")
    names, processes = SiteNames(job_root=jobs), of(jobs)
    with processes.living() as mark:
        names.add("0123abcd")
        assert names.all() == ()
        assert list(processes.forget()) == []
        jobs.unlink(missing_ok=True)
        jobs.mkdir()
        processes.touch()
        assert names.all() == ("0123abcd",)
        assert (jobs / FOLDER / mark).exists()
        assert not of(jobs).is_dead(mark)
    assert of(jobs).is_dead(mark)


def test_a_folder_that_was_away_for_a_while_has_the_file_of_a_living_process(tmp_path: Path) -> None:
    """It is made in what is there meanwhile, and the one before is still locked when that is back."""
    processes = of(tmp_path)
    with processes.living() as mark:
        (tmp_path / FOLDER).rename(tmp_path / "away")
        processes.touch()
        assert not of(tmp_path).is_dead(mark)
        shutil.rmtree(tmp_path / FOLDER)
        (tmp_path / "away").rename(tmp_path / FOLDER)
        processes.touch()
        assert not of(tmp_path).is_dead(mark)
    assert of(tmp_path).is_dead(mark)


def test_what_tells_that_a_process_lives_and_what_it_holds_is_not_open_for_writing(tmp_path: Path) -> None:
    """An admin cannot make a file system read-only that has such a file. (The position of a run's log is one.)"""
    claim = TwinRunner(tmp_path / "bench", ProcessEngine(tmp_path / "engine")).claim("pass")
    before = written_files()
    with of(tmp_path).living(), ClaimLocks(tmp_path, "here").holding(claim):
        assert written_files() == before


def written_files() -> list[Path]:
    """Those on a disk that this process has open for writing."""
    found = [path for path in Path("/proc/self/fd").iterdir() if path.exists() and path.lstat().st_mode & 0o200]
    return [path.resolve() for path in found if path.is_file()]


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that answers nothing until the event is set; nobody waits for it for long."""
    answers = threading.Event()
    for module, step in (("runner.lease.living_processes", "hold"), ("runner.recovery.site_names", "_names")):
        real = getattr(sys.modules[module], step)
        monkeypatch.setattr(f"{module}.{step}", lambda path, real=real: answers.wait(60) and real(path))
    monkeypatch.setattr(BoundedLook, "__init__", partialmethod(BoundedLook.__init__, patience_seconds=0.05))
    yield answers
    answers.set()


def test_a_disk_that_hangs_at_boot_is_not_waited_for(tmp_path: Path, hangs: threading.Event) -> None:
    """Until it answers: then the file is there, and so is the name of the ledger."""
    names, processes = SiteNames(job_root=tmp_path), of(tmp_path)
    with processes.living() as mark:
        names.add("0123abcd")
        assert names.all() == ()
        assert not (tmp_path / FOLDER / mark).exists()
        hangs.set()
        when(lambda: (tmp_path / FOLDER / mark).exists() and names.all() == ("0123abcd",), lambda: None).join()
        assert (tmp_path / FOLDER / mark).exists()
        assert names.all() == ("0123abcd",)
