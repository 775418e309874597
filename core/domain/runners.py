"""What a runner and its host tell of themselves, and what admins want of them; all of it bounded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_LISTED = 200
SILENT_SECONDS = 20.0
"""A runner reports every 3 s: after six missed reports nothing is known of it any more."""
FORGOTTEN_SECONDS = 300.0
"""So long a silent runner is still listed; then it is removed."""
HOST_FORGOTTEN_SECONDS = 3600.0
"""The same for a host of which no runner reports."""

PROBING = "the sandbox's walls are being probed; that takes seconds"
"""Why a runner that has just begun takes no jobs yet."""
FIXES = "A distribution's package may have the fixes under an older number: see its changelog, or update."

Line = Annotated[str, StringConstraints(max_length=300)]
Lines = Annotated[tuple[Line, ...], Field(max_length=MOST_LISTED)]


class RunnerState(StrEnum):
    """Whether a runner takes new jobs, and if not, why; the runs that it has go on in every state."""

    READY = "ready"
    PAUSED = "paused"
    """An admin paused it."""
    DRAINING = "draining"
    """An admin wants it empty, or its process was asked to end; it still has jobs in hand."""
    DRAINED = "drained"
    """It has none left: its machine may be worked on."""
    REFUSED = "refused"
    """Its canary found a wall of the sandbox that does not hold, or its engine is below the lowest safe version."""
    DISK_LOW = "disk_low"
    """A disk that runs write to is nearly full."""
    NO_STORAGE = "no_storage"
    """A folder that it needs cannot be written or read, or is not the site's."""
    NO_ENGINE = "no_engine"
    """Its engine does not answer, or has no image."""
    SILENT = "silent"
    """No report came for a while: the process has ended, or cannot reach Redis. No runner reports this of itself."""


class Wish(StrEnum):
    """What an admin wants of a runner; kept until the next one."""

    RUN = "run"
    PAUSE = "pause"
    DRAIN = "drain"


class Fact(BaseModel):
    """Base of what is told; what a newer version tells besides is not lost on an older one, only not shown."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ClassFigures(Fact):
    """A resource class as the runner's engine can give it."""

    name: Line
    cpus: float
    memory_bytes: int
    gpus: Line
    timeout_seconds: int


class RunnerReport(Fact):
    """One process that runs jobs, as it tells of itself every few seconds."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}:[0-9]{1,10}$")]
    """Its machine's name and its process: whose name a job's record has as its worker."""
    host: Line
    """The engine's own name."""
    version: Line
    since: datetime
    state: RunnerState
    reason: Line | None = None
    """Why it takes no jobs, in words."""
    classes: Annotated[tuple[ClassFigures, ...], Field(max_length=MOST_LISTED)] = ()
    jobs: Lines = ()
    """The jobs in hand."""
    clock_skew_seconds: float | None = None
    """Its machine's clock is so far ahead of the ledger's; None when that was not measured."""


class SandboxFigures(Fact):
    """One living container of a run (BOX-11)."""

    name: Line
    job_id: Line
    user_id: Line
    attempt: int
    image: Line
    status: Line
    age_seconds: float
    cpu_percent: float | None = None
    """Of one CPU: 200 is two whole ones."""
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    pids: int | None = None
    gpu: Line | None = None
    runtime: Line | None = None
    security: Lines = ()
    """Its options as the engine has them: user, network, capabilities, seccomp, file system."""


class DiskFigures(Fact):
    """One folder that runs need room in."""

    name: Line
    free_bytes: int
    total_bytes: int
    fault: Line | None = None
    """Why the folder cannot be used, as the host that reported it found."""


class OldPart(Fact):
    """A part of an engine that is older than the lowest version with the fixes that the walls lean on."""

    part: Line
    version: Line
    """Empty where the engine does not tell it."""
    floor: Line
    why: Line

    @property
    def sentence(self) -> str:
        return f"{self.part} {self.version or 'of an unknown version'} is older than {self.floor}: {self.why}. {FIXES}"


class HostReport(Fact):
    """One engine, as one of its runners looked at it."""

    host: Line
    engine: Mapping[str, str] = Field(default_factory=dict, max_length=20)
    """Versions: engine, runc, kernel."""
    warnings: Lines = ()
    old: Annotated[tuple[OldPart, ...], Field(max_length=10)] = ()
    old_engine_allowed: bool = False
    """Whether it takes jobs all the same (ALLOW_OLD_ENGINE)."""
    gpus: Lines = ()
    gpus_in_use: Lines = ()
    gpus_quarantined: Lines = ()
    sandboxes: Annotated[tuple[SandboxFigures, ...], Field(max_length=MOST_LISTED)] = ()
    disks: Annotated[tuple[DiskFigures, ...], Field(max_length=10)] = ()
    canary: Mapping[str, Any] | None = None
    """The last probe of the sandbox's walls, as the canary tells it."""


class SeenRunner(Fact):
    """A report, how long ago it came, and what admins want of that runner now."""

    report: RunnerReport
    silent_seconds: float
    wish: Wish

    @property
    def is_silent(self) -> bool:
        return self.silent_seconds > SILENT_SECONDS

    @property
    def state(self) -> RunnerState:
        """As it is now: what a silent runner reported last is not true any more."""
        return RunnerState.SILENT if self.is_silent else self.report.state

    @property
    def reason(self) -> str | None:
        """Why it takes no jobs, in words."""
        if not self.is_silent:
            return self.report.reason
        return f"no report for {int(self.silent_seconds)} s; the last one said {self.report.state}"

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs in hand. Those of a silent runner are taken over, or have ended."""
        return () if self.is_silent else self.report.jobs

    def is_ready_for(self, resource_class: str | None = None) -> bool:
        """Whether it takes jobs now, of this class or of any."""
        here = not self.is_silent and self.report.state is RunnerState.READY and self.wish is Wish.RUN
        return here and (resource_class is None or self.has_class(resource_class))

    def has_class(self, name: str) -> bool:
        """Whether it runs jobs of this class at all."""
        return any(item.name == name for item in self.report.classes)


class SeenHost(Fact):
    """A host's report and how long ago it came."""

    report: HostReport
    silent_seconds: float

    @property
    def is_silent(self) -> bool:
        return self.silent_seconds > SILENT_SECONDS


def stricter(*wishes: Wish) -> Wish:
    """Of a wish for a process and one for its whole host the one that allows less."""
    return max(wishes, key=list(Wish).index, default=Wish.RUN)
