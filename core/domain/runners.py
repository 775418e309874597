"""Reports of runners and hosts, and admins' wishes for them; all of it bounded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_LISTED = 200
SILENT_SECONDS = 20.0
"""A runner reports every 3 s; after six missed reports its state is unknown."""
FORGOTTEN_SECONDS = 300.0
"""For so long a silent runner is still listed; then it is removed."""
HOST_FORGOTTEN_SECONDS = 3600.0
"""The same for a host without a reporting runner."""

PROBING = "the sandbox's walls are being probed; that takes seconds"
"""The reason given while a runner that has just started takes no jobs yet."""
FIXES = "A distribution's package may have the fixes under an older number: see its changelog, or update."

Line = Annotated[str, StringConstraints(max_length=300)]
Lines = Annotated[tuple[Line, ...], Field(max_length=MOST_LISTED)]


class RunnerState(StrEnum):
    """Whether a runner takes new jobs, and if not, why; its current runs continue in every state."""

    READY = "ready"
    PAUSED = "paused"
    """An admin paused it."""
    DRAINING = "draining"
    """An admin wants it empty, or its process was asked to end; it still has jobs."""
    DRAINED = "drained"
    """It has no jobs left: its machine may be worked on."""
    REFUSED = "refused"
    """Its canary found a wall of the sandbox that does not hold, or its engine is below the lowest safe version."""
    DISK_LOW = "disk_low"
    """A disk to which runs write is nearly full."""
    NO_STORAGE = "no_storage"
    """A folder that it needs cannot be written or read, or is not the site's own."""
    NO_ENGINE = "no_engine"
    """Its engine does not answer, or has no image."""
    SILENT = "silent"
    """No report for a while: the process has ended or cannot reach Redis. Never reported by a runner itself."""


class Wish(StrEnum):
    """What an admin wants a runner to do; valid until the next wish."""

    RUN = "run"
    PAUSE = "pause"
    DRAIN = "drain"


class Fact(BaseModel):
    """Base of reports. Unknown fields from newer versions are accepted and not shown."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ClassFigures(Fact):
    """A resource class as the runner's engine provides it."""

    name: Line
    cpus: float
    memory_bytes: int
    gpus: Line
    timeout_seconds: int
    image_id: Line = ""
    """The image of its runs; empty as long as the runner has not published the image's packages."""
    installs: bool | None = None
    """Whether a submission's requirements.txt is installed; None if an older runner does not say."""


class RunnerReport(Fact):
    """The report of one runner process, sent every few seconds."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}:[0-9]{1,10}$")]
    """Machine name and process id; job records name the runner by it."""
    host: Line
    """The engine's own name."""
    version: Line
    since: datetime
    state: RunnerState
    reason: Line | None = None
    """Why it takes no jobs, in words."""
    classes: Annotated[tuple[ClassFigures, ...], Field(max_length=MOST_LISTED)] = ()
    jobs: Lines = ()
    """The jobs that it runs now."""
    clock_skew_seconds: float | None = None
    """How far its machine's clock is ahead of the ledger's; None if not measured."""


class SandboxFigures(Fact):
    """One running container of a run (BOX-11)."""

    name: Line
    job_id: Line
    user_id: Line
    attempt: int
    image: Line
    status: Line
    age_seconds: float
    cpu_percent: float | None = None
    """Percent of one CPU: 200 is two whole CPUs."""
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    pids: int | None = None
    gpu: Line | None = None
    runtime: Line | None = None
    security: Lines = ()
    """Its options as the engine reports them: user, network, capabilities, seccomp, file system."""


class DiskFigures(Fact):
    """One folder in which runs need free space."""

    name: Line
    free_bytes: int
    total_bytes: int
    fault: Line | None = None
    """Why the folder cannot be used, as reported by the host."""


class OldPart(Fact):
    """A part of an engine that is older than the lowest version with the fixes on which the walls depend."""

    part: Line
    version: Line
    """Empty if the engine does not report it."""
    floor: Line
    why: Line

    @property
    def sentence(self) -> str:
        return f"{self.part} {self.version or 'of an unknown version'} is older than {self.floor}: {self.why}. {FIXES}"


class HostReport(Fact):
    """The report on one engine, by one of its runners."""

    host: Line
    engine: Mapping[str, str] = Field(default_factory=dict, max_length=20)
    """Versions: engine, runc, kernel."""
    warnings: Lines = ()
    old: Annotated[tuple[OldPart, ...], Field(max_length=10)] = ()
    old_engine_allowed: bool = False
    """Whether it takes jobs anyway (ALLOW_OLD_ENGINE)."""
    gpus: Lines = ()
    gpus_in_use: Lines = ()
    gpus_quarantined: Lines = ()
    sandboxes: Annotated[tuple[SandboxFigures, ...], Field(max_length=MOST_LISTED)] = ()
    disks: Annotated[tuple[DiskFigures, ...], Field(max_length=10)] = ()
    canary: Mapping[str, Any] | None = None
    """The last canary's report on the sandbox's walls."""


class SeenRunner(Fact):
    """A runner's report, its age, and what admins want of that runner now."""

    report: RunnerReport
    silent_seconds: float
    wish: Wish

    @property
    def is_silent(self) -> bool:
        return self.silent_seconds > SILENT_SECONDS

    @property
    def state(self) -> RunnerState:
        """The current state: SILENT for a silent runner, since its last report no longer holds."""
        return RunnerState.SILENT if self.is_silent else self.report.state

    @property
    def reason(self) -> str | None:
        """Why it takes no jobs, in words."""
        if not self.is_silent:
            return self.report.reason
        return f"no report for {int(self.silent_seconds)} s; the last one said {self.report.state}"

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs that it runs now; none for a silent runner, whose jobs were taken over or have ended."""
        return () if self.is_silent else self.report.jobs

    def is_ready_for(self, resource_class: str | None = None) -> bool:
        """Whether it takes jobs of this class now; without a class, jobs of any."""
        here = not self.is_silent and self.report.state is RunnerState.READY and self.wish is Wish.RUN
        return here and (resource_class is None or self.has_class(resource_class))

    def has_class(self, name: str) -> bool:
        """Whether it runs jobs of this class at all."""
        return any(item.name == name for item in self.report.classes)


class SeenHost(Fact):
    """A host's report and its age."""

    report: HostReport
    silent_seconds: float

    @property
    def is_silent(self) -> bool:
        return self.silent_seconds > SILENT_SECONDS


def stricter(*wishes: Wish) -> Wish:
    """The wish that allows least, e.g. of one for a process and one for its host."""
    return max(wishes, key=list(Wish).index, default=Wish.RUN)
