"""Wall clocks that jump by a day, forth and back, under ledger and runner: no job is lost, repeated or stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import docker
import pytest

from core.domain.job import JobState
from tests.docker.conftest import opened_site
from tests.docker.own_parts import OwnPart, own_redis
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

    def settings(self, folder: Path) -> dict[str, str]:
        """For a process that sees the clock's folder there."""
        return {
            "LD_PRELOAD": str(folder / LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(folder / "offset"),
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


@pytest.fixture
def ledger_server(fresh_name: str, clock: Clock) -> Iterator[OwnPart]:
    inside = Path("/clock")
    with own_redis(fresh_name, environment=clock.settings(inside), folders={clock.folder: str(inside)}) as server:
        yield server


@pytest.fixture
def site(ledger_server: OwnPart, mlflow_url: str, image: str, fresh_name: str, clock: Clock) -> Iterator[Site]:
    with opened_site(clock.folder.parent, ledger_server.url, mlflow_url, image, fresh_name) as made:
        made.environment |= clock.settings(clock.folder)
        yield made


def assert_whole(site: Site, job_ids: list[str]) -> None:
    for job_id in job_ids:
        job = ended(site, job_id)
        assert (job.state, job.attempt, job.error_message) == (JobState.COMPLETED, 1, None)
        assert lines_of(site.log(job_id)) == LINES


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_clock_that_jumps_stops_and_repeats_nothing(site: Site, clock: Clock, seconds: int) -> None:
    """Leases, time-outs, places in the queue and the search for dead runners: one runs, one waits, one comes later."""
    ids = [site.post(SLOW), site.post(SLOW + "# waits")]
    with site.runner():
        until(lambda: "line 3" in site.log(ids[0]), "it runs")
        before = site.ledger_seconds()
        clock.jump(seconds)
        assert abs(site.ledger_seconds() - before - seconds) < 60  # it did jump
        ids.append(site.post(SLOW + "# later"))
        assert_whole(site, ids)


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_runner_that_dies_as_the_clock_jumps_is_followed(
    site: Site, clock: Clock, inner: docker.DockerClient, seconds: int
) -> None:
    """A lease that now ends in a day keeps nobody from taking over."""
    job_id = site.post(SLOW)
    with site.runner() as first:
        until(lambda: "line 3" in site.log(job_id), "it runs")
        clock.jump(seconds)
        kill_group(first)
    with site.runner():
        assert_whole(site, [job_id])
    label = {"label": f"leadersboard.job={job_id}"}
    until(lambda: not inner.containers.list(all=True, filters=label), "its container is gone")
