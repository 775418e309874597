"""A runner's wall clock that jumps by a day, forth and back: no job is lost, repeated or stopped for it.

The ledger's clock is not made to jump here: the library that does it and Debian's Redis do not go together.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import docker
import pytest

from core.domain.job import JobState
from tests.docker.runner_site import LINES, SLOW, Site, ended, kill_group, lines_of, until

pytestmark = pytest.mark.docker

DAY = 86_400
LIBRARY = "libfaketime.so.1"


@dataclass(frozen=True)
class Clock:
    """The wall clock of every process that has its settings; clocks that never jump are left alone."""

    folder: Path

    def jump(self, seconds: int) -> None:
        """From the true time, at once, for all of them."""
        beside = self.folder / ".offset"
        beside.write_text(f"{seconds:+d}\n")
        beside.replace(self.folder / "offset")

    def settings(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.folder / LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.folder / "offset"),
            "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip


@pytest.fixture
def clock(engine_folder: Path) -> Clock:
    folder = engine_folder / "clock"
    folder.mkdir()
    with (files("libfaketime") / "vendor" / "libfaketime" / "src" / LIBRARY).open("rb") as library:
        (folder / LIBRARY).write_bytes(library.read())
    made = Clock(folder)
    made.jump(0)
    return made


def assert_whole(site: Site, job_ids: list[str]) -> None:
    for job_id in job_ids:
        job = ended(site, job_id)
        assert (job.state, job.attempt, job.error_message) == (JobState.COMPLETED, 1, None)
        assert lines_of(site.log(job_id)) == LINES


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_clock_that_jumps_stops_and_repeats_nothing(site: Site, clock: Clock, seconds: int) -> None:
    """Time-outs, the hunt for dead runners, the engine's probe and records: one runs, one waits, one comes later."""
    ids = [site.post(SLOW), site.post(SLOW + "# waits")]
    with site.runner(**clock.settings()):
        until(lambda: "line 3" in site.log(ids[0]), "it runs")
        clock.jump(seconds)
        ids.append(site.post(SLOW + "# later"))
        assert_whole(site, ids)
    assert f"{dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds):%Y-%m-%d}" in site.words()  # it did jump


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_runner_that_dies_as_the_clock_jumps_is_followed(
    site: Site, clock: Clock, inner: docker.DockerClient, seconds: int
) -> None:
    """Its successor lives on another day, and finds the run and its log all the same."""
    job_id = site.post(SLOW)
    with site.runner(**clock.settings()) as first:
        until(lambda: "line 3" in site.log(job_id), "it runs")
        clock.jump(seconds)
        kill_group(first)
    with site.runner(**clock.settings()):
        assert_whole(site, [job_id])
    label = {"label": f"leadersboard.job={job_id}"}
    until(lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "its container is gone")
