"""The parts of a chaos run, all of its own but the engine, and what can be done to them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import docker

from bench.chaos.people import tokens
from tests.docker.own_parts import OwnPart, own_mlflow, own_redis
from tests.docker.runner_site import Site, kill_group
from tests.integration.freezing_proxy import FreezingProxy, freezing_proxy
from tests.running_gateway import environment, free_port, image_command

RUNNERS = 2
PROCESSES = 2


class Stage:
    """Every fault is over when its method returns: the part is there again, or on its way."""

    def __init__(
        self, site: Site, ledger: OwnPart, mlflow: OwnPart, tracking: FreezingProxy, opened: ExitStack, *, engine: bool
    ) -> None:
        self.site, self.mlflow, self._ledger, self._tracking = site, mlflow, ledger, tracking
        self._opened = opened
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._gateway = self._door()
        self._runners = [self._runner() for _number in range(RUNNERS)]
        self.faults: dict[str, Callable[[random.Random], None]] = {
            "runner killed": self._kill_runner,
            "runner restarted": self._restart_runner,
            "runner paused": self._pause_runner,
            "gateway killed": self._kill_gateway,
            "gateway restarted": self._restart_gateway,
            "Redis killed": self._kill_redis,
            "Redis paused": self._pause_redis,
            "MLflow killed": self._kill_mlflow,
            "MLflow away": self._mlflow_away,
            "MLflow hangs": self._mlflow_hangs,
            "MLflow cut off": lambda _random: self._tracking.cut(),
        } | ({"engine restarted": self._restart_engine} if engine else {})

    def _runner(self) -> subprocess.Popen[bytes]:
        return self._opened.enter_context(self.site.runner(processes=PROCESSES, MAX_CONCURRENT_RUNNING="2"))

    def _door(self) -> subprocess.Popen[bytes]:
        return self._opened.enter_context(_gateway_process(self.site, self._port))

    def _kill_gateway(self, random: random.Random) -> None:
        kill_group(self._gateway)
        time.sleep(random.uniform(0, 4))
        self._gateway = self._door()

    def _restart_gateway(self, _random: random.Random) -> None:
        self._gateway.terminate()
        self._gateway.wait(60)
        self._gateway = self._door()

    def _kill_runner(self, random: random.Random) -> None:
        number = random.randrange(RUNNERS)
        kill_group(self._runners[number])
        time.sleep(random.uniform(0, 4))
        self._runners[number] = self._runner()

    def _restart_runner(self, random: random.Random) -> None:
        number = random.randrange(RUNNERS)
        self._runners[number].terminate()
        self._runners[number].wait(60)
        self._runners[number] = self._runner()

    def _pause_runner(self, random: random.Random) -> None:
        group = self._runners[random.randrange(RUNNERS)].pid
        os.killpg(group, signal.SIGSTOP)
        time.sleep(random.uniform(1, 8))
        os.killpg(group, signal.SIGCONT)

    def _kill_redis(self, random: random.Random) -> None:
        self._ledger.kill()
        time.sleep(random.uniform(0, 5))
        self._ledger.start()

    def _pause_redis(self, random: random.Random) -> None:
        self._ledger.pause()
        time.sleep(random.uniform(1, 6))
        self._ledger.unpause()

    def _kill_mlflow(self, random: random.Random) -> None:
        self.mlflow.kill()
        time.sleep(random.uniform(0, 5))
        self.mlflow.start()

    def _mlflow_away(self, random: random.Random) -> None:
        self._tracking.refuse()
        time.sleep(random.uniform(1, 8))
        self._tracking.admit()

    def _mlflow_hangs(self, random: random.Random) -> None:
        self._tracking.freeze()
        time.sleep(random.uniform(1, 8))
        self._tracking.thaw()

    def _restart_engine(self, _random: random.Random) -> None:
        outer = docker.from_env()
        project = os.environ["LEADERSBOARD_TEST_PROJECT"]
        labels = [f"com.docker.compose.project={project}", "com.docker.compose.service=engine"]
        (engine,) = outer.containers.list(filters={"label": labels})
        engine.restart(timeout=10)
        outer.close()


@contextmanager
def _gateway_process(site: Site, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """As the image runs it, on the site's own folders and settings."""
    root, ours = site.root, site.environment
    (root / "submissions" / ".incoming").mkdir(exist_ok=True)
    settings = environment(root, redis_url=ours["REDIS_URL"], mlflow_url=ours["MLFLOW_TRACKING_URI"])
    settings |= {"API_TOKENS": tokens(), "ADMIN_USERS": "", "OVER_LIMIT": "queue"}
    settings |= {"PATH": os.environ["PATH"], "TMPDIR": str(root / "submissions" / ".incoming")}
    command = [sys.executable, "-m", *image_command(port)]
    with (root / "gateway.txt").open("ab") as words:
        process = subprocess.Popen(command, env=settings, stdout=words, stderr=words, start_new_session=True)
        try:
            yield process
        finally:
            kill_group(process)


@contextmanager
def stage(root: Path, name: str, *, engine: bool) -> Iterator[Stage]:
    """Everything up; afterwards nothing of it is left."""
    with ExitStack() as opened:
        ledger, mlflow = opened.enter_context(own_redis(name)), opened.enter_context(own_mlflow(name))
        address = urlsplit(mlflow.url)
        tracking = opened.enter_context(freezing_proxy((address.hostname or "", address.port or 80)))
        image = os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
        site = Site(root, ledger.url, f"http://127.0.0.1:{tracking.port}", image, name)
        opened.callback(site.close)
        yield Stage(site, ledger, mlflow, tracking, opened, engine=engine)
