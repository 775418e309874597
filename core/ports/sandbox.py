"""Running one submission in its own throwaway container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from core.domain.limits import EngineCapacity, ResourceClass


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxSpec:
    """Everything a run needs. Paths are as the engine sees them; no text of the submission becomes an option."""

    site: str
    """The ledger that the job belongs to."""
    job_id: str
    attempt: int
    claim: str
    """The mark of the claim that launches the run; tells this attempt's containers and files from all others."""
    user_id: str
    entrypoint: str
    config_file: str
    limits: ResourceClass
    image: str
    submission: Path
    """Mounted read-only at /submission, and copied into /job."""
    config: Path
    """Folder with job.json, mounted read-only at /config."""
    data: Path | None = None
    """The benchmark's public data, mounted read-only at /data."""
    weights: Path | None = None
    """The site's weights, mounted read-only at /weights; None if it has none."""
    dependencies: Path | None = None
    """The packages of its requirements.txt, mounted read-only at /deps."""
    gpu: str | None = None
    """UUID of the only device that the run gets."""
    role: str = "job"
    """`job`, or `canary` for a probe of ours, which belongs to no job."""
    process: str = ""
    """The mark of the process with which the container must end; empty for runs of jobs, which outlive their runner."""

    @property
    def name(self) -> str:
        return f"{self.role}-{self.job_id}-{self.attempt}-{self.claim}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxState:
    """The engine's report on a container; `exit_code` is None while it runs."""

    exit_code: int | None
    out_of_memory: bool = False
    interrupted: bool = False
    ran_seconds: float | None = None
    """From the program's start to its end, by the host's clock; set once it has ended, if the engine says it."""

    @property
    def ended(self) -> bool:
        return self.exit_code is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class CpuUse:
    """The kernel's count of a container's CPU time at one moment, read from outside the container."""

    at_seconds: float
    """Seconds since 1970, by the engine's clock."""
    used_seconds: float
    """CPU seconds since the container began."""
    periods: int
    """Periods in which the kernel enforced a CPU limit; stays 0 while the container has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Harvest:
    """What was read from a run's output directory: raw metrics.json, or why it could not be read."""

    metrics: bytes | None = None
    metrics_problem: str | None = None
    metrics_elsewhere: tuple[str, ...] = ()
    """Files that were perhaps meant to be metrics.json, the likeliest first; at most MOST_NAMED."""
    output_full: bool = False
    output_bytes: int = 0
    """By the files' nominal sizes: a sparse file counts in full."""
    output_files: int = 0
    notices: tuple[str, ...] = field(default=())
    """Sentences about files that were left out, e.g. links."""


class Stream(IntEnum):
    """The output streams of a program, with the engine's numbers."""

    STDOUT = 1
    STDERR = 2


class RunOutput(Protocol):
    """Receives what a run prints, called from another thread."""

    def output(self, chunk: bytes, stream: Stream) -> None: ...

    def taken_of(self, stream: Stream) -> int:
        """How many bytes of the stream were received so far; a new reader continues there."""
        ...

    def incomplete(self) -> None:
        """Called when some output may have been lost before it was received."""
        ...

    def settle(self) -> None:
        """Sync everything received so far to disk: its source is about to go. Raises LeaseLost, HandOver, OSError."""
        ...


class Sandbox(Protocol):
    """One running container and all that belongs to it. Every method has a deadline of its own."""

    @property
    def image_digest(self) -> str:
        """The digest of the container's image."""
        ...

    def state(self) -> SandboxState:
        """Raises Unavailable."""
        ...

    def await_output_end(self, seconds: float) -> bool:
        """Wait up to `seconds` for the end of its output. True if it ended: a hint, no proof that the run has ended."""
        ...

    def peaks(self) -> Mapping[str, float]:
        """The highest figures seen so far: memory_bytes, pids; cpu_seconds. May be empty. Never raises."""
        ...

    def cpu_use(self) -> CpuUse | None:
        """What it has used by now; None when it does not run, or the engine does not tell. Never raises."""
        ...

    def stop(self, *, grace_seconds: float) -> None:
        """Send SIGTERM, then SIGKILL after the grace period. Raises Unavailable."""
        ...

    def harvest(self, into: Path) -> Harvest:
        """End the job's container, then copy plain files of its output into `into`. Raises Unavailable, RunLost."""
        ...

    def detach(self) -> None:
        """Stop reading its output; the container runs on. Never raises."""
        ...

    def remove(self, *, failed: bool = False) -> None:
        """Remove container, holder and volume. Raises Unavailable.

        If the site keeps failed runs for its admins, the stopped container of a failed run stays, without its files.
        """
        ...


class SandboxPort(Protocol):
    """This site's part of the engine. All methods raise Unavailable if the engine does not answer."""

    def launch(self, spec: SandboxSpec, output: RunOutput) -> Sandbox:
        """Start the run; `output` receives stdout and stderr from the first byte, in another thread."""
        ...

    def adopt(self, spec: SandboxSpec, output: RunOutput) -> Sandbox | None:
        """The run of this spec that another process left, running or ended; its output continues where `output` stands.

        None if the engine does not know it, or never started it.
        """
        ...

    def kill(self, job_id: str, *, claim: str) -> None:
        """End the program of this run at once; its container, output and volume stay."""
        ...

    def remove_leftovers(self, job_id: str, *, claim: str | None = None) -> int:
        """Remove everything of the job, or of one claim of it, from this engine. Returns how many things."""
        ...

    def kept_seconds(self, job_id: str, *, claim: str) -> float:
        """How long the container of this run is kept if it failed, as set when the run was launched."""
        ...

    def runs(self, *, site: str | None = None) -> set[tuple[str, str]]:
        """What has a container or a volume in the engine, as pairs of job and claim; of this site, or of `site`."""
        ...

    def host_id(self) -> str:
        """The engine's own name, different for every engine."""
        ...

    def capacity(self) -> EngineCapacity:
        """CPUs and memory of the engine's machine."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Versions of the engine and its parts."""
        ...

    def remove_canaries(self, *, before: float) -> int:
        """Remove leftovers of canaries begun before this time, in seconds since 1970. Returns how many."""
        ...

    def remove_of_processes(self, is_dead: Callable[[str], bool]) -> int:
        """Remove what is marked with a process for which `is_dead` is true. Returns how many things."""
        ...

    def gpu_memory(self) -> Mapping[str, int]:
        """The engine's devices by UUID, with the bytes in use on each; empty if it has none."""
        ...

    def gpus_in_use(self) -> set[str]:
        """UUIDs of the devices held by running containers, also by those of other sites."""
        ...

    def check(self) -> None:
        """Raises Unavailable if the engine does not answer."""
        ...
