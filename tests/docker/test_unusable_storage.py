"""Storage that cannot be written, is not mounted or hangs costs no attempt, is told, and all goes on afterwards."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis

from core.adapters.files.folder_look import MARK
from core.adapters.redis.runners import RedisRunners
from core.domain.job import JobState
from core.domain.runners import RunnerReport, RunnerState
from tests.docker.runner_site import LINES, SLOW, Site, ended, lines_of, until
from tests.docker.small_disk import SmallDisk, small_disk, small_shared_disk
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

OUTAGE_SECONDS = 15


@pytest.fixture(autouse=True)
def _small_disks_are_no_hindrance(site: Site) -> None:
    site.environment["MIN_FREE_RUN_BYTES"] = "0"


@pytest.fixture
def log_disk(site: Site) -> Iterator[SmallDisk]:
    with small_disk(site.root / "logs", size="4m") as disk:
        yield disk


@pytest.fixture
def job_disk(site: Site) -> Iterator[SmallDisk]:
    with small_shared_disk(site.root / "jobs", megabytes=32) as disk:
        yield disk


@pytest.fixture
def seen(redis_client: redis.Redis) -> RedisRunners:
    return RedisRunners(redis_client)


def reported(seen: RedisRunners) -> RunnerReport | None:
    """The one runner's last report, while it is not silent."""
    living = [one.report for one in seen.runners() if one.silent_seconds < 30]
    return living[0] if living else None


def is_ready(seen: RedisRunners) -> bool:
    report = reported(seen)
    return report is not None and report.state is RunnerState.READY


def refuses(seen: RedisRunners, words: str) -> bool:
    report = reported(seen)
    return report is not None and report.state is RunnerState.NO_STORAGE and words in (report.reason or "")


def test_read_only_folders_begin_no_run_and_cost_no_attempt(
    site: Site, seen: RedisRunners, log_disk: SmallDisk, job_disk: SmallDisk
) -> None:
    """Each of them alone: admins see which folder of which host, jobs wait, and run in their first attempt."""
    with site.runner():
        until(lambda: is_ready(seen), "the runner is ready")
        for number, (disk, name) in enumerate(((log_disk, "logs"), (job_disk, "jobs"))):
            disk.take_no_writes()
            until(lambda name=name, disk=disk: refuses(seen, f"{name} ({disk.path}): Read-only file system"), "told")
            report = reported(seen)
            assert report is not None
            assert report.host == seen.hosts()[0].report.host
            job_id = site.post(f"# {number}\n{GOOD}")
            time.sleep(OUTAGE_SECONDS / 3)
            job = site.ledger.get(job_id)
            assert (job.state, job.attempt, job.started_at) == (JobState.PENDING, 0, None)
            disk.take_writes()
            job = ended(site, job_id)
            assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    assert set(site.left_on_disk()) <= {"lost+found"}


def test_a_run_outlives_that_its_folders_are_not_mounted(
    site: Site, seen: RedisRunners, log_disk: SmallDisk, job_disk: SmallDisk
) -> None:
    """It ends while there are only empty folders in their places; its result and every line are there afterwards."""
    job_id = site.post(SLOW)
    with site.runner():
        until(lambda: "line 3" in site.log(job_id), "it runs")
        with log_disk.gone(), job_disk.gone():
            until(lambda: refuses(seen, "Is its file system mounted?"), "it is told")
            time.sleep(OUTAGE_SECONDS)
            job = site.ledger.get(job_id)
            assert (job.state, job.attempt) == (JobState.RUNNING, 1)
        job = ended(site, job_id)
        until(lambda: is_ready(seen), "the runner is ready by itself")
    assert (job.state, job.attempt, job.error_message) == (JobState.COMPLETED, 1, None)
    assert lines_of(site.log(job_id)) == LINES
    assert site.log(job_id).rstrip().endswith("Ended: completed")
    assert set(site.left_on_disk()) <= {"lost+found"}


def test_a_disk_that_fills_while_a_result_is_recorded_keeps_the_result(
    site: Site, seen: RedisRunners, job_disk: SmallDisk
) -> None:
    """The run has ended and MLflow is away; the disk is full, then read-only, when the result is taken up again."""
    tracking = site.environment["MLFLOW_TRACKING_URI"]
    site.environment["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:9"
    job_id = site.post(GOOD)
    with site.runner():
        until(lambda: "The result is kept" in site.log(job_id), "its result waits")
    job_disk.fill(but_bytes=0)
    site.environment["MLFLOW_TRACKING_URI"] = tracking
    with site.runner():
        until(lambda: refuses(seen, "jobs (") and refuses(seen, "No space left"), "it is told")
        time.sleep(OUTAGE_SECONDS / 3)
        job_disk.take_no_writes()
        until(lambda: refuses(seen, "Read-only file system"), "it is told")
        assert site.ledger.get(job_id).state is JobState.RUNNING
        job_disk.take_writes()
        job_disk.make_room()
        job = ended(site, job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    assert "Ended: completed" in site.log(job_id)


def test_folders_that_are_empty_at_boot_are_not_taken_for_a_fresh_site(site: Site, seen: RedisRunners) -> None:
    """Nothing is begun in them, nothing of the real ones is missed; an admin's empty mark says that they are meant."""
    first = site.post(GOOD)
    with site.runner():
        assert ended(site, first).state is JobState.COMPLETED
    aside = site.root / "aside"
    aside.mkdir()
    for name in ("logs", "jobs", "submissions"):
        (site.root / name).rename(aside / name)
        (site.root / name).mkdir()
    (aside / "jobs" / MARK).unlink()  # of a version that made none
    with site.runner():
        until(lambda: refuses(seen, f"logs ({site.root / 'logs'})"), "it is told")
        assert not list((site.root / "logs").glob("*.log"))
        for name in ("logs", "jobs", "submissions"):
            shutil.rmtree(site.root / name)
            (aside / name).rename(site.root / name)
        (site.root / "jobs" / MARK).touch()
        second = site.post(f"# second\n{GOOD}")
        assert ended(site, second).state is JobState.COMPLETED
    assert (site.root / "jobs" / MARK).stat().st_size > 0


def test_a_folder_of_another_site_is_refused(site: Site, seen: RedisRunners) -> None:
    """Two sites that share a folder would remove each other's runs."""
    (site.root / "jobs" / MARK).write_text('{"site": "another"}')
    with site.runner():
        until(lambda: refuses(seen, "belongs to another site"), "it is told")
        (site.root / "jobs" / MARK).unlink()
        assert ended(site, site.post(GOOD)).state is JobState.COMPLETED


def test_storage_that_hangs_holds_up_no_more_than_what_needs_it(
    site: Site, seen: RedisRunners, job_disk: SmallDisk
) -> None:
    """The runner goes on telling of itself, with the reason; the job waits, and runs when the disk answers."""
    with site.runner() as process:
        until(lambda: is_ready(seen), "the runner is ready")
        with job_disk.hanging():
            until(lambda: refuses(seen, "it has not answered for"), "it is told")
            job_id = site.post(GOOD)
            time.sleep(OUTAGE_SECONDS)
            assert refuses(seen, "it has not answered for")
            assert (site.ledger.get(job_id).state, site.ledger.get(job_id).attempt) == (JobState.PENDING, 0)
            assert process.poll() is None
        assert (ended(site, job_id).state, site.ledger.get(job_id).attempt) == (JobState.COMPLETED, 1)


def test_a_runner_begins_on_storage_that_hangs(site: Site, seen: RedisRunners, job_disk: SmallDisk) -> None:
    """At boot, too, an admin sees why; the same runner takes the job when the disk answers, and has its file then."""
    job_id = site.post(GOOD)
    with ExitStack() as opened:
        with job_disk.hanging():
            opened.enter_context(site.runner())
            until(lambda: refuses(seen, "it has not answered for"), "it is told")
            assert (site.ledger.get(job_id).state, site.ledger.get(job_id).attempt) == (JobState.PENDING, 0)
        assert ended(site, job_id).attempt == 1
        until(lambda: files_of_processes(site) == 1, "its process has a file")


def test_a_runner_begins_on_a_disk_that_is_read_only(site: Site, seen: RedisRunners, job_disk: SmallDisk) -> None:
    """What it could not write at its start is written when the disk can be, beside the job that it takes then."""
    job_disk.take_no_writes()
    job_id = site.post(GOOD)
    with site.runner():
        until(lambda: refuses(seen, "Read-only file system"), "it is told")
        job_disk.take_writes()
        assert ended(site, job_id).attempt == 1
        until(lambda: files_of_processes(site) == 1, "its process has a file")
        names = [path.name for path in (site.root / "jobs" / ".sites").iterdir()]
    assert names == [site.ledger.ledger_id()]


def files_of_processes(site: Site) -> int:
    folder = site.root / "jobs" / ".processes"
    return len(list(folder.iterdir())) if folder.is_dir() else 0
