"""Opens what every job of a runner process shares, from its settings."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from dramatiq.brokers.redis import RedisBroker

from core.settings import Settings
from core.wiring import open_ports
from runner.engine.container_spec import EngineMeans, record_bytes
from runner.engine.docker_sandbox import DockerEngine
from runner.engine.fitting import fitted
from runner.gpus import Gpus
from runner.held_claims import HeldClaims
from runner.janitor import Janitor
from runner.launch_settings import LogLimits
from runner.living_processes import LivingProcesses
from runner.requirements.cache import DependencyCache
from runner.requirements.dependencies import Dependencies
from runner.requirements.index import Index
from runner.requirements.installer import Installer
from runner.site_names import SiteNames
from runner.storage_faults import StorageFaults
from runner.workbench import Workbench

TRACKING_SECONDS = 20.0
"""For one answer: a runner whose tracking server hangs takes the next job within 30 s (R13)."""


def open_workbench(
    settings: Settings, broker: RedisBroker, *, host: str, stopping: threading.Event, opened: ExitStack
) -> Workbench:
    """What it opens, `opened` closes. Raises Unavailable when a part does not answer yet."""
    ports = opened.enter_context(
        open_ports(settings, broker=broker, tracking_timeout_seconds=TRACKING_SECONDS, runner_host=host)
    )
    ports.folders.states()  # a ledger that was emptied gets its name back from their marks
    site = ports.job_status.ledger_id()
    names = SiteNames(job_root=settings.job_root)
    names.add(site)
    processes = LivingProcesses(job_root=settings.job_root, host=host)
    process = opened.enter_context(processes.living())
    seccomp = settings.seccomp_profile.read_text()
    engine = DockerEngine(
        settings.engine_socket,
        site=site,
        image=settings.sandbox_image,
        seccomp=seccomp,
        means=_means(settings),
        process=process,
    )
    opened.callback(engine.close)
    kept = DependencyCache(job_root=settings.job_root, kept_bytes=settings.requirements.kept_bytes, process=process)
    return Workbench(
        ports=ports,
        engine=engine,
        gpus=Gpus(engine, lock_file=settings.job_root / f".gpus-{host}", busy_bytes=settings.gpu_busy_bytes),
        resource_classes={item.name: item for item in fitted(settings, engine)},
        image=settings.sandbox_image,
        site=site,
        host=host,
        held=HeldClaims(settings.job_root, host),
        job_root=settings.job_root,
        lease_seconds=settings.lease_seconds,
        log_limits=LogLimits(
            max_bytes=settings.max_log_bytes, max_lines=settings.max_log_lines, kept_bytes=settings.kept_log_bytes
        ),
        stopping=stopping,
        storage_faults=StorageFaults(now=ports.folders.fault),
        dependencies=Dependencies(installer=_installer(settings, seccomp, opened, process=process), cache=kept),
        janitor=Janitor(engine=engine, processes=processes, cache=kept, mark=process),
        site_names=names,
    )


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
