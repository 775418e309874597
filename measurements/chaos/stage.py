"""Starts the services of a chaos run: all its own, except for the engine, unless that is restarted, too."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import docker

from measurements.chaos.limits import LENIENT, STRICT
from measurements.chaos.people import tokens
from measurements.chaos.plan import USERS, Plan
from tests.docker.jumping_clock import forget_killed, jumping_clock
from tests.docker.own_parts import OwnPart, give_small_image, own_engine, own_mlflow, own_redis
from tests.docker.runner_site import Site, kill_group
from tests.docker.small_disk import SmallDisk, small_disk, small_shared_disk
from tests.integration.freezing_proxy import FreezingProxy, freezing_proxy
from tests.running_gateway import environment, free_port, image_command

RUNNERS = 2
PROCESSES = 2
FIRST_SKEW_SECONDS = {"runners": 40, "gateway": -25}
LOG_DISK, JOB_DISK_MEGABYTES = "64m", 128


class Stage:
    """All services of a chaos run, with the means to stop and start each."""

    def __init__(self, site: Site, opened: ExitStack, *, parts: dict[str, OwnPart], tracking: FreezingProxy) -> None:
        self.site, self.tracking, self._opened = site, tracking, opened
        self.redis, self.mlflow, self.engine = parts["redis"], parts["mlflow"], parts.get("engine")
        self.clocks = {name: jumping_clock(site.root / f"clock-{name}") for name in FIRST_SKEW_SECONDS}
        for name, seconds in FIRST_SKEW_SECONDS.items():
            self.clocks[name].jump(seconds)
        self.inner = opened.enter_context(closing(docker.DockerClient(base_url=site.environment["ENGINE_SOCKET"])))
        self.disks = dict(_disks(site, opened, engine_is_ours=self.engine is not None))
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._door_settings = door_settings(site, users=USERS) | self.clocks["gateway"].settings()
        self._door_settings |= {"RESOURCE_CLASSES": LENIENT["RESOURCE_CLASSES"]}
        self.gateway = self.new_gateway()
        self.runners = [self.new_runner(STRICT), self.new_runner(LENIENT)]
        assert len(self.runners) == RUNNERS

    @property
    def processes(self) -> int:
        """The number of processes of all runners."""
        return RUNNERS * PROCESSES

    def new_runner(
        self, settings: dict[str, str], build: str = "runner.main:build", **more: str
    ) -> subprocess.Popen[bytes]:
        forget_killed()
        told = self.clocks["runners"].settings() | settings | more
        return self._opened.enter_context(
            self.site.runner(build, processes=PROCESSES, MAX_CONCURRENT_RUNNING="2", **told)
        )

    def new_gateway(self) -> subprocess.Popen[bytes]:
        forget_killed()
        return self._opened.enter_context(gateway_process(self.site, self._door_settings, self._port))

    def keep_up(self, dice: random.Random) -> int:
        """Restart runners that ended by themselves, as compose does. Returns how many."""
        ended = [number for number, runner in enumerate(self.runners) if runner.poll() is not None]
        for number in ended:
            self.runners[number] = self.new_runner(dice.choice((STRICT, LENIENT)))
        return len(ended)

    def clear_engine(self) -> None:
        """Remove everything of this site from the engine."""
        mine: dict[str, str | list[str] | bool] = {"label": f"leadersboard.site={self.site.ledger.ledger_id()}"}
        for box in self.inner.containers.list(all=True, filters=mine, ignore_removed=True):
            box.remove(force=True, v=True)
        for network in self.inner.networks.list(filters=mine):
            network.remove()
        for volume in self.inner.volumes.list(filters=mine):
            volume.remove(force=True)


def _disks(site: Site, opened: ExitStack, *, engine_is_ours: bool) -> Iterator[tuple[str, SmallDisk]]:
    """A disk for each of a site's folders, for storage faults; none without the right to mount.

    With an engine that is restarted the jobs' folder is not mounted: the engine would lose the mount.
    """
    if os.geteuid() != 0:
        return
    yield "logs", opened.enter_context(small_disk(site.root / "logs", size=LOG_DISK))
    jobs = site.root / "jobs"
    shared = small_shared_disk(jobs, megabytes=JOB_DISK_MEGABYTES)
    yield "jobs", SmallDisk(jobs) if engine_is_ours else opened.enter_context(shared)
    yield "submissions", SmallDisk(site.root / "submissions")


def door_settings(site: Site, *, users: int) -> dict[str, str]:
    """The gateway's settings, for the site's folders and services. Call it once: it marks the folders as the site's."""
    root, ours = site.root, site.environment
    (root / "submissions" / ".incoming").mkdir()
    settings = environment(root, redis_url=ours["REDIS_URL"], mlflow_url=ours["MLFLOW_TRACKING_URI"])
    settings |= {"API_TOKENS": tokens(users), "ADMIN_USERS": "", "OVER_LIMIT": "queue"}
    return settings | {"PATH": os.environ["PATH"], "TMPDIR": str(root / "submissions" / ".incoming")}


@contextmanager
def gateway_process(site: Site, settings: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The gateway, started as the image starts it."""
    command = [sys.executable, "-m", *image_command(port)]
    with (site.root / "gateway.txt").open("ab") as words:
        process = subprocess.Popen(command, env=settings, stdout=words, stderr=words, start_new_session=True)
        try:
            yield process
        finally:
            kill_group(process)


@contextmanager
def stage(root: Path, name: str, plan: Plan) -> Iterator[Stage]:
    """Start all services; stop and remove them at the end."""
    with ExitStack() as opened:
        opened.callback(forget_killed)
        parts = {"redis": opened.enter_context(own_redis(name)), "mlflow": opened.enter_context(own_mlflow(name))}
        socket, image = os.environ["LEADERSBOARD_TEST_ENGINE"], os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
        if plan.engine:
            (root / "engine").mkdir()
            parts["engine"] = opened.enter_context(own_engine(name, root / "engine"))
            socket, image = parts["engine"].url, give_small_image(parts["engine"])
        address = urlsplit(parts["mlflow"].url)
        tracking = opened.enter_context(freezing_proxy((address.hostname or "", address.port or 80)))
        site = Site(root, parts["redis"].url, f"http://127.0.0.1:{tracking.port}", image, name)
        site.environment |= {"ENGINE_SOCKET": socket, "MIN_FREE_RUN_BYTES": "0"}
        opened.callback(site.close)
        yield Stage(site, opened, parts=parts, tracking=tracking)
