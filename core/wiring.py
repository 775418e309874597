"""Builds the ports from the settings, and closes everything that it opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import redis
from dramatiq.brokers.redis import RedisBroker

from core.adapters.dramatiq_broker import OneBellAtATime
from core.adapters.dramatiq_queue import DramatiqQueue
from core.adapters.files.benchmark_folders import BenchmarkFolders
from core.adapters.files.old_files import OldFiles
from core.adapters.files.site_folders import SiteFolders, gateway_folders, runner_folders
from core.adapters.files.storage import FilesystemStorage
from core.adapters.files.trial_files import TrialFiles
from core.adapters.files.weights_folder import WeightsFolder
from core.adapters.mlflow.old_runs import MlflowOldRuns
from core.adapters.mlflow.reads import MlflowReads
from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.accounts import RedisAccounts
from core.adapters.redis.audit import RedisAudit
from core.adapters.redis.connection import TIMEOUT_SECONDS, connect, no_retry
from core.adapters.redis.dead_letters import RedisDeadLetters
from core.adapters.redis.entry_marks import RedisEntryMarks
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.known_folders import RedisFolders
from core.adapters.redis.login_throttle import RedisLoginThrottle
from core.adapters.redis.old_records import RedisOldRecords
from core.adapters.redis.rate_limit import RedisRateLimit
from core.adapters.redis.results import RedisResults
from core.adapters.redis.runners import RedisRunners
from core.adapters.redis.sessions import RedisSessions
from core.ports.accounts import AccountsPort
from core.ports.audit import AuditPort
from core.ports.benchmarks import BenchmarkPort
from core.ports.dead_letters import DeadLettersPort
from core.ports.entry_marks import EntryMarksPort
from core.ports.folders import FoldersPort
from core.ports.job_queue import JobQueuePort
from core.ports.job_status import JobStatusPort
from core.ports.login_throttle import LoginThrottlePort
from core.ports.rate_limit import RateLimitPort
from core.ports.results import ResultsPort
from core.ports.runners import RunnersPort
from core.ports.sessions import SessionsPort
from core.ports.tracking import TrackingPort
from core.ports.tracking_reads import TrackingReadsPort
from core.ports.weights import WeightsPort
from core.settings import Settings
from core.usecases.retention import Retention

HEARTBEAT_MS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """The ports of a process, on their real implementations."""

    storage: FilesystemStorage
    job_status: JobStatusPort
    results: ResultsPort
    entry_marks: EntryMarksPort
    job_queue: JobQueuePort
    rate_limit: RateLimitPort
    tracking: TrackingPort
    trial_files: TrialFiles
    benchmarks: BenchmarkPort
    weights: WeightsPort
    accounts: AccountsPort
    sessions: SessionsPort
    login_throttle: LoginThrottlePort
    runners: RunnersPort
    dead_letters: DeadLettersPort
    audit: AuditPort
    folders: SiteFolders = field(default_factory=lambda: SiteFolders(()))


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayServices:
    """What only a gateway has open, beside its ports."""

    ports: Ports
    tracking_reads: TrackingReadsPort
    retention: Retention


def open_broker(settings: Settings, **options: object) -> RedisBroker:
    """A Dramatiq broker that checks for dead workers at every command; by default chance decides, for minutes."""
    return OneBellAtATime(
        url=settings.ledger_url,
        maintenance_chance=1_000_000,
        heartbeat_timeout=HEARTBEAT_MS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        **options,
    )


def _doorbell(settings: Settings) -> RedisBroker:
    """A broker that only sends, so every command can have a deadline; a worker's broker waits for messages."""
    return open_broker(settings, socket_timeout=TIMEOUT_SECONDS, retry=no_retry())


def _folders(settings: Settings, job_status: JobStatusPort, known: FoldersPort, runner_host: str) -> SiteFolders:
    submissions, logs = settings.upload_root, settings.log_root
    if not runner_host:
        return gateway_folders(job_status, known, submissions=submissions, logs=logs)
    jobs, benchmarks = settings.job_root, settings.benchmark_root
    return runner_folders(
        job_status, known, host=runner_host, submissions=submissions, logs=logs, jobs=jobs, benchmarks=benchmarks
    )


def _storage(settings: Settings, folders: SiteFolders) -> FilesystemStorage:
    return FilesystemStorage(
        upload_root=settings.upload_root,
        log_root=settings.log_root,
        limits=settings.upload,
        min_free_bytes=settings.min_free_bytes,
        folders=folders,
    )


@contextmanager
def open_ports(
    settings: Settings,
    *,
    broker: RedisBroker | None = None,
    tracking_timeout_seconds: float = 10.0,
    runner_host: str = "",
) -> Iterator[Ports]:
    """The ports on real services, for as long as the context lasts. A runner gives its host as `runner_host`."""
    with (
        closing(connect(settings.ledger_url)) as client,
        closing(MlflowTracking(settings.mlflow_tracking_uri, timeout_seconds=tracking_timeout_seconds)) as tracking,
    ):
        yield _ports(settings, client, tracking, broker or _doorbell(settings), runner_host)


@contextmanager
def open_gateway_services(settings: Settings, *, tracking_timeout_seconds: float) -> Iterator[GatewayServices]:
    """What a gateway needs, on real services, for as long as the context lasts.

    Ports and retention share one client of Redis. Each use of MLflow has its own client, because their deadlines
    differ: requests must be answered within seconds, and removing a run's files may take half a minute.
    """
    with (
        closing(connect(settings.ledger_url)) as client,
        closing(MlflowTracking(settings.mlflow_tracking_uri, timeout_seconds=tracking_timeout_seconds)) as tracking,
        closing(MlflowReads(settings.mlflow_tracking_uri)) as reads,
        closing(MlflowOldRuns(settings.mlflow_tracking_uri)) as old_runs,
    ):
        ports = _ports(settings, client, tracking, _doorbell(settings), runner_host="")
        retention = _retention(settings, client, ports, old_runs)
        yield GatewayServices(ports=ports, tracking_reads=reads, retention=retention)


def _ports(
    settings: Settings, client: redis.Redis, tracking: TrackingPort, broker: RedisBroker, runner_host: str
) -> Ports:
    job_status, known = RedisJobStatus(client), RedisFolders(client)
    folders = _folders(settings, job_status, known, runner_host)
    return Ports(
        storage=_storage(settings, folders),
        job_status=job_status,
        results=RedisResults(client),
        entry_marks=RedisEntryMarks(client),
        job_queue=DramatiqQueue(broker),
        rate_limit=RedisRateLimit(client),
        tracking=tracking,
        trial_files=TrialFiles(settings.log_root, folders=folders),
        benchmarks=BenchmarkFolders(settings.benchmark_root),
        weights=WeightsFolder(settings.weights_root),
        accounts=RedisAccounts(client),
        sessions=RedisSessions(client),
        login_throttle=RedisLoginThrottle(client),
        runners=RedisRunners(client),
        dead_letters=RedisDeadLetters(client),
        audit=RedisAudit(client, days=settings.audit_days),
        folders=folders,
    )


def _retention(settings: Settings, client: redis.Redis, ports: Ports, runs: MlflowOldRuns) -> Retention:
    return Retention(
        records=RedisOldRecords(client, for_ever=not settings.retention_days),
        results=ports.results,
        files=OldFiles(upload_root=settings.upload_root, log_root=settings.log_root, folders=ports.folders),
        runs=runs,
        now=ports.job_status.now,
        clock_skew=ports.job_status.clock_skew,
    )
