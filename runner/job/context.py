"""The context shared by all jobs of a runner process: its ports, its engine, its limits, and when it must stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.image_packages import ImagePackages
from core.domain.job import Job
from core.domain.limits import ResourceClass
from core.ports.sandbox import SandboxPort
from core.wiring import Ports
from runner.gpus import Gpus
from runner.job.storage_faults import StorageFaults
from runner.launch_settings import LaunchSettings, LogLimits
from runner.lease.claim_locks import ClaimLocks
from runner.recovery.janitor import Janitor
from runner.recovery.site_names import SiteNames
from runner.requirements.dependencies import NoDependencies, Preparing
from runner.scoring.scoring import CanScore, NoScoring


@dataclass(frozen=True, kw_only=True, slots=True)
class JobContext:
    """Lives as long as its process."""

    ports: Ports
    engine: SandboxPort
    gpus: Gpus
    resource_classes: Mapping[str, ResourceClass]
    """As the engine can give them to runs that are launched now."""
    image: str
    """The site's; a resource class may have another."""
    site: str
    """The ledger's own name, which labels everything that is started in the engine."""
    host: str
    """The engine's own name."""
    claim_locks: ClaimLocks
    job_root: Path
    lease_seconds: float
    log_limits: LogLimits
    janitor: Janitor
    site_names: SiteNames
    stopping: threading.Event
    """Set when the process has been asked to end and its grace is over."""
    image_packages: Callable[[str], ImagePackages | None] = lambda _image: None
    """What the image of this name has; None if it is not asked. Raises Unavailable."""
    trial_seconds: int = 60
    """The time limit of a trial, if its class has no shorter one."""
    dependencies: Preparing = field(default_factory=NoDependencies)
    scoring: CanScore = field(default_factory=NoScoring)
    storage_faults: StorageFaults = field(default_factory=StorageFaults)

    def settings_for(self, job: Job) -> LaunchSettings | None:
        """The settings for a run that this process launches; None when it has no such class."""
        limits = self.resource_classes.get(job.resource_class)
        if limits is None:
            return None
        settings = LaunchSettings(limits=limits, image=limits.image_of(self.image), log=self.log_limits)
        return settings.for_trial(self.trial_seconds) if job.trial else settings
