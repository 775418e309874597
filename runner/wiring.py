"""Opens what every job of a runner process shares, from its settings, and builds its long-lived parts upon that."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from dramatiq.brokers.redis import RedisBroker

from core.settings import Settings
from core.wiring import open_ports
from runner.canary.probe import Canary
from runner.canary.scheduler import CanaryScheduler
from runner.dead_letters import DeadLetterWriter
from runner.engine.capacity import fitted
from runner.engine.container_spec import EngineMeans, record_bytes
from runner.engine.docker_engine import DockerEngine
from runner.engine.inspection import Inspection
from runner.gpus import Gpus
from runner.job.context import JobContext
from runner.job.run_job import RunJob
from runner.job.storage_faults import StorageFaults
from runner.launch_settings import LogLimits
from runner.lease.claim_locks import ClaimLocks
from runner.lease.living_processes import LivingProcesses
from runner.process_name import process_name
from runner.recovery.engine import EngineSteps
from runner.recovery.files import FileSteps
from runner.recovery.janitor import Janitor
from runner.recovery.ledger import LedgerSteps
from runner.recovery.repairs import Mended
from runner.recovery.rescores import Rescores
from runner.recovery.site_names import SiteNames
from runner.recovery.sweeper import Sweeper
from runner.recovery.tracking import TrackingSteps
from runner.requirements.cache import DependencyCache
from runner.requirements.dependencies import Dependencies
from runner.requirements.image_list import ImageList
from runner.requirements.index import Index
from runner.requirements.installer import Installer
from runner.scoring.opening import open_scoring
from runner.worker.actor import RunNext
from runner.worker.availability import Availability
from runner.worker.engine_versions import Floors
from runner.worker.report import HostFacts, Reporter

TRACKING_SECONDS = 20.0
"""Deadline for one answer, so that a runner whose tracking server hangs takes the next job within 30 s (R13)."""


def open_context(
    settings: Settings, broker: RedisBroker, *, host: str, stopping: threading.Event, opened: ExitStack
) -> JobContext:
    """Opens the parts; `opened` closes them. Raises Unavailable when a part does not answer yet.

    Waits for storage in bounded time only, so that a folder that hangs is reported to admins.
    """
    ports = opened.enter_context(
        open_ports(settings, broker=broker, tracking_timeout_seconds=TRACKING_SECONDS, runner_host=host)
    )
    ports.folders.states()  # gives an emptied ledger its name back, from the folders' marks
    site = ports.job_status.ledger_id()
    processes = LivingProcesses(job_root=settings.job_root, host=host)
    process = opened.enter_context(processes.living())
    seccomp = settings.seccomp_profile.read_text()
    engine = _engine(settings, seccomp, opened, site=site, process=process)
    installer = _installer(settings, seccomp, opened, process=process)
    images = ImageList(client=installer.client, seccomp=seccomp, site=site, process=process)
    kept = DependencyCache(job_root=settings.job_root, kept_bytes=settings.requirements.kept_bytes, process=process)
    return JobContext(
        ports=ports,
        engine=engine,
        gpus=Gpus.of(settings, engine, host=host),
        resource_classes={item.name: item for item in fitted(settings, engine)},
        image=settings.sandbox_image,
        site=site,
        host=host,
        claim_locks=ClaimLocks(settings.job_root, host),
        job_root=settings.job_root,
        lease_seconds=settings.lease_seconds,
        log_limits=_log_limits(settings),
        stopping=stopping,
        storage_faults=StorageFaults(now=ports.folders.fault),
        image_packages=images.of,
        trial_seconds=settings.trial_seconds,
        dependencies=_dependencies(settings, installer, kept, images),
        scoring=open_scoring(settings, seccomp, opened, process=process),
        janitor=Janitor(engine=engine, processes=processes, cache=kept, mark=process),
        site_names=_names(settings, site),
    )


def _dependencies(settings: Settings, installer: Installer, kept: DependencyCache, images: ImageList) -> Dependencies:
    installing = [item.name for item in settings.resource_classes if item.requirements]
    return Dependencies(installer=installer, cache=kept, packages_of=images.of, installing=installing)


def sweeper_of(
    context: JobContext, *, log_root: Path, host_patience: float, in_hand: Collection[str], letters: DeadLetterWriter
) -> Sweeper:
    """The sweeper of this process, which holds the jobs `in_hand`."""
    ports, mended = context.ports, Mended(runners=context.ports.runners)
    ledger = LedgerSteps(
        job_status=ports.job_status, job_queue=ports.job_queue, claim_locks=context.claim_locks, host=context.host,
        host_patience=host_patience, resource_classes=context.resource_classes, mended=mended,
    )  # fmt: skip
    return Sweeper(
        ledger=ledger,
        engine=EngineSteps(
            engine=context.engine, job_status=ports.job_status, job_of=ledger.job_of, site_names=context.site_names,
            mended=mended, job_ended=ledger.freed,
        ),
        tracking=TrackingSteps(
            job_status=ports.job_status, tracking=ports.tracking, results=ports.results, runners=ports.runners,
            benchmarks=ports.benchmarks, site_names=context.site_names, host=context.host, job_of=ledger.job_of,
            mended=mended,
        ),
        files=FileSteps(
            engine=context.engine, claim_locks=context.claim_locks, janitor=context.janitor, job_of=ledger.job_of,
            is_held=ports.job_status.is_held, host=context.host, resource_classes=context.resource_classes,
            job_root=context.job_root, log_root=log_root, in_hand=in_hand, ended=ledger.ended, mended=mended,
            trial_files=ports.trial_files,
        ),
        rescores=Rescores(
            ports=ports, scoring=context.scoring, job_root=context.job_root, site=context.site,
            stopping=context.stopping,
        ),
        letters=letters,
    )  # fmt: skip


def availability_of(context: JobContext, settings: Settings, *, draining: threading.Event) -> Availability:
    return Availability(
        name=process_name(),
        host=context.host,
        runners=context.ports.runners,
        check_engine=context.engine.check,
        too_old=Floors(versions=context.engine.versions, allowed=settings.allow_old_engine).refusal,
        folders=context.ports.folders.states,
        min_free_bytes=settings.min_free_run_bytes,
        draining=draining,
    )


def run_next_of(
    context: JobContext, settings: Settings, availability: Availability, letters: DeadLetterWriter
) -> RunNext:
    return RunNext(
        job_status=context.ports.job_status,
        job_queue=context.ports.job_queue,
        run_job=RunJob(context=context),
        lease_seconds=settings.lease_seconds,
        running_limit=settings.max_concurrent_running,
        host=context.host,
        draining=availability.draining,
        availability=availability,
        letters=letters,
    )


def canary_scheduler_of(
    context: JobContext, settings: Settings, availability: Availability, facts: HostFacts
) -> CanaryScheduler:
    """From here on no new job is claimed until the canary found that the walls hold."""
    ports, classes = context.ports, tuple(context.resource_classes.values())

    def ring() -> None:
        for item in classes:
            if ports.job_status.pending(item.name):
                ports.job_queue.ring(item.name)

    canary = Canary(
        engine=context.engine,
        resource_classes=classes,
        image=context.image,
        site=context.site,
        folder=settings.job_root / ".canary",
        gpus=context.gpus,
        runtime=settings.sandbox_runtime,
        process=context.janitor.mark,
        weights=ports.weights,
    )
    return CanaryScheduler(canary=canary, availability=availability, facts=facts, runners=ports.runners, ring=ring)


def reporter_of(
    context: JobContext, settings: Settings, availability: Availability, facts: HostFacts, *, opened: ExitStack
) -> Reporter:
    """`opened` closes its connection to the engine."""
    inspection = Inspection(settings.engine_socket, site=context.site)
    opened.callback(inspection.close)
    return Reporter(
        runners=context.ports.runners,
        availability=availability,
        clock_skew=context.ports.job_status.clock_skew,
        engine=context.engine,
        gpus=context.gpus,
        inspection=inspection,
        resource_classes=tuple(context.resource_classes.values()),
        image_packages=context.image_packages,
        image=context.image,
        installs=bool(Index.of(settings).urls),
        facts=facts,
    )


def _names(settings: Settings, site: str) -> SiteNames:
    names = SiteNames(job_root=settings.job_root)
    names.add(site)
    return names


def _log_limits(settings: Settings) -> LogLimits:
    return LogLimits(
        max_bytes=settings.max_log_bytes, max_lines=settings.max_log_lines, kept_bytes=settings.kept_log_bytes
    )


def _engine(settings: Settings, seccomp: str, opened: ExitStack, *, site: str, process: str) -> DockerEngine:
    engine = DockerEngine(
        settings.engine_socket,
        site=site,
        image=settings.sandbox_image,
        seccomp=seccomp,
        means=_means(settings),
        process=process,
        more_images={item.image_of(settings.sandbox_image) for item in settings.resource_classes},
    )
    opened.callback(engine.close)
    return engine


def _means(settings: Settings) -> EngineMeans:
    return EngineMeans(
        runtime=settings.sandbox_runtime,
        gpu_access=settings.gpu_access,
        record_bytes=record_bytes(max_bytes=settings.max_log_bytes, max_lines=settings.max_log_lines),
        keep_failed_seconds=60.0 * settings.keep_failed_minutes,
    )


def _installer(settings: Settings, seccomp: str, opened: ExitStack, *, process: str) -> Installer:
    installer = Installer.on(
        settings.engine_socket, seccomp=seccomp, index=Index.of(settings), limits=settings.requirements, process=process
    )
    opened.callback(installer.close)
    return installer
