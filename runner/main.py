"""The runner's entry: `dramatiq runner.main:build` gets a broker whose actor runs jobs; a sweeper runs beside it."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import Any

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware

from core import json_logs
from core.domain.errors import Unavailable
from core.settings import Settings
from core.wiring import open_broker
from runner.dead_letters import DeadLetterWriter
from runner.engine.advisories import old_parts
from runner.engine.docker_engine import DockerEngine
from runner.recovery.periodic import begin
from runner.recovery.sweeper import Sweeper
from runner.wiring import (
    availability_of,
    canary_scheduler_of,
    open_context,
    reporter_of,
    run_next_of,
    sweeper_of,
)
from runner.worker.actor import RunNext, declare
from runner.worker.report import HostFacts, Reporter

BOOT_SECONDS = 20.0
"""How long a starting process waits for a part that does not answer; then it ends, and is started anew."""
STOP_GRACE_SECONDS = 10.0
"""How long a job may still end by itself once the process was asked to stop; below Dramatiq's own limit."""
FIRST_SWEEP_SECONDS = 20.0
"""How long a process waits for its first sweep before it takes jobs."""
WITHDRAW_SECONDS = 10.0
"""How long an ending process waits for a report under way, which waits for Redis and storage no longer than this."""

log = structlog.get_logger(__name__)


def build() -> RedisBroker:
    """Returns a broker for Dramatiq's workers and makes it Dramatiq's own. Nothing is claimed before they boot."""
    json_logs.configure()
    settings = Settings()
    broker = open_broker(settings, middleware=[])
    host = host_of(settings)
    process = WorkerProcess(settings, broker, host=host)
    broker.add_middleware(process)
    declare(broker, process.run_next, [*(item.name for item in settings.resource_classes), host])
    dramatiq.set_broker(broker)
    return broker


class WorkerProcess(Middleware):
    """Opens what a worker process needs when it boots, and closes it when it ends."""

    def __init__(self, settings: Settings, broker: RedisBroker, *, host: str) -> None:
        self._settings = settings
        self._broker = broker
        self._host = host
        self._opened = ExitStack()
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._run_next: RunNext | None = None

    def run_next(self, resource_class: str) -> None:
        if self._run_next is not None:
            self._run_next(resource_class)

    def after_process_boot(self, _broker: Any) -> None:
        """Ends the process if it cannot start: Dramatiq would go on anyway and answer each doorbell with nothing."""
        until = time.monotonic() + BOOT_SECONDS
        while True:
            try:
                return self._begin()
            except Unavailable as error:
                self._opened.close()
                if time.monotonic() > until:
                    raise SystemExit(f"runner: {error}") from error
                log.warning("waiting for a part", error=str(error))
                time.sleep(1.0)
            except Exception as error:
                log.exception("runner cannot begin")
                raise SystemExit(f"runner: {type(error).__name__}") from error

    def _begin(self) -> None:
        """Opens every part before it starts any. Raises Unavailable."""
        settings = self._settings
        context = open_context(settings, self._broker, host=self._host, stopping=self._stopping, opened=self._opened)
        letters = DeadLetterWriter(dead_letters=context.ports.dead_letters)
        availability = availability_of(context, settings, draining=self._draining)
        availability.begin()
        run_next = run_next_of(context, settings, availability, letters)
        sweeper = sweeper_of(
            context, log_root=settings.log_root, host_patience=settings.host_patience_seconds,
            in_hand=availability.jobs, letters=letters,
        )  # fmt: skip
        facts = HostFacts(old_engine_allowed=settings.allow_old_engine)
        for one in old_parts(context.engine.versions()):
            log.warning("engine is old", warning=one.sentence, jobs_taken=facts.old_engine_allowed)
        canaries = canary_scheduler_of(context, settings, availability, facts)
        # before the sweep, which a disk that hangs may hold up
        self._report(reporter_of(context, settings, availability, facts, opened=self._opened))
        self._run_next = run_next
        sweep_first(sweeper)
        begin(sweeper.rounds(settings.sweep_seconds), self._draining)
        threading.Thread(target=canaries.run, args=(self._draining,), daemon=True, name="canary").start()

    def _report(self, reporter: Reporter) -> None:
        """Reports until the process ends, and then no more."""
        ended = threading.Event()
        thread = threading.Thread(target=reporter.run, args=(ended,), daemon=True, name="report")

        def withdraw() -> None:
            ended.set()
            thread.join(WITHDRAW_SECONDS)  # or it would report once more
            reporter.withdraw()

        self._opened.callback(withdraw)
        thread.start()

    def before_worker_shutdown(self, _broker: Any, _worker: Any) -> None:
        """Called at SIGTERM: takes no more jobs, and hands a running one over unless it ends in STOP_GRACE_SECONDS."""
        log.info("stopping")
        self._draining.set()
        timer = threading.Timer(STOP_GRACE_SECONDS, self._stopping.set)
        timer.daemon = True
        timer.start()

    def after_worker_shutdown(self, _broker: Any, _worker: Any) -> None:
        self._opened.close()


def sweep_first(sweeper: Sweeper) -> None:
    """Mends what this host's earlier runners left before new jobs are taken; goes on without if a part hangs."""
    over = threading.Event()
    first = threading.Thread(target=sweeper.sweep, args=(over.is_set,), daemon=True, name="first sweep")
    first.start()
    first.join(FIRST_SWEEP_SECONDS)
    over.set()
    if first.is_alive():
        log.warning("first sweep is not over", seconds=FIRST_SWEEP_SECONDS)


def host_of(settings: Settings) -> str:
    """Returns the name of this runner's engine, which is also the name of the queue for its runners alone."""
    engine = DockerEngine(settings.engine_socket, site="", image=settings.sandbox_image, seccomp="{}")
    try:
        return engine.host_id()
    except Unavailable as error:
        raise SystemExit(f"runner: {error}") from error
    finally:
        engine.close()
