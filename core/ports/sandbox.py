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
    """Everything a run needs. Paths are as the engine sees them; nothing of the submission's text becomes an option."""

    site: str
    """The ledger that the job belongs to."""
    job_id: str
    attempt: int
    claim: str
    """The mark of the claim that launches it: tells this attempt's things from those of every other."""
    user_id: str
    entrypoint: str
    config_file: str
    limits: ResourceClass
    image: str
    submission: Path
    """Mounted read-only at /job."""
    config: Path
    """Folder with job.json, mounted read-only at /config."""
    data: Path | None = None
    """The benchmark's public data, mounted read-only at /data."""
    dependencies: Path | None = None
    """The packages of its requirements.txt, mounted read-only at /deps."""
    gpu: str | None = None
    """UUID of the one device the run gets."""
    role: str = "job"
    """Or `canary`: a probe of ours, which is no job to anybody."""
    process: str = ""
    """The mark of the process with which this goes; empty for what outlives it, as runs of jobs do."""

    @property
    def name(self) -> str:
        return f"{self.role}-{self.job_id}-{self.attempt}-{self.claim}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxState:
    """What the engine says of a container now; `exit_code` is None while it runs."""

    exit_code: int | None
    out_of_memory: bool = False
    interrupted: bool = False
    ran_seconds: float | None = None
    """By the engine's clock, once it has ended."""

    @property
    def ended(self) -> bool:
        return self.exit_code is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Harvest:
    """What a run left in its output directory: raw metrics.json, or why it could not be read."""

    metrics: bytes | None = None
    metrics_problem: str | None = None
    output_full: bool = False
    output_bytes: int = 0
    """As the files claim: a sparse one counts in full."""
    output_files: int = 0
    notices: tuple[str, ...] = field(default=())
    """Sentences about what was left out, e.g. links."""


class Stream(IntEnum):
    """Where a program prints, by the numbers that the engine gives them."""

    STDOUT = 1
    STDERR = 2


class RunOutput(Protocol):
    """Takes what a run prints, from another thread."""

    def output(self, chunk: bytes, stream: Stream) -> None: ...

    def taken_of(self, stream: Stream) -> int:
        """How many bytes of the stream were taken so far: whoever reads it anew goes on there."""
        ...

    def incomplete(self) -> None:
        """Told when some of what the run printed may have been lost before it could be taken."""
        ...

    def settle(self) -> None:
        """All that was taken is on disk afterwards: where it came from goes. Raises LeaseLost, HandOver, OSError."""
        ...


class Sandbox(Protocol):
    """One running container and everything of it. Every method has a deadline of its own."""

    @property
    def image_digest(self) -> str:
        """The digest of the image that runs."""
        ...

    def state(self) -> SandboxState:
        """Raises Unavailable."""
        ...

    def await_output_end(self, seconds: float) -> bool:
        """Wait up to `seconds` for the end of its output; True when it ended. A hint only, never the end of the run."""
        ...

    def peaks(self) -> Mapping[str, float]:
        """The highest figures seen so far: memory_bytes, pids; cpu_seconds. Never raises; may be empty."""
        ...

    def stop(self, *, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL after the grace. Raises Unavailable."""
        ...

    def harvest(self, into: Path) -> Harvest:
        """End the job's container, then copy plain files of the output into `into`. Raises Unavailable, RunLost."""
        ...

    def detach(self) -> None:
        """Stop reading its output; everything of it goes on without us. Never raises."""
        ...

    def remove(self, *, failed: bool = False) -> None:
        """Leave nothing: container, holder, volume. Raises Unavailable.

        Where the site keeps failed runs for its admins, one's stopped container stays, with none of its files.
        """
        ...


class SandboxPort(Protocol):
    """The engine, as far as it is this site's. All methods raise Unavailable when it does not answer."""

    def launch(self, spec: SandboxSpec, output: RunOutput) -> Sandbox:
        """Start the run; `output` gets its stdout and stderr from the first byte, in another thread."""
        ...

    def adopt(self, spec: SandboxSpec, output: RunOutput) -> Sandbox | None:
        """The run of this spec as another process left it, running or ended; its output goes on where `output` stands.

        None when the engine knows nothing of it, or never started it.
        """
        ...

    def kill(self, job_id: str, *, claim: str) -> None:
        """End the program of this run at once; what belongs to the run stays."""
        ...

    def remove_leftovers(self, job_id: str, *, claim: str | None = None) -> int:
        """Remove whatever the job, or one claim of it, left in this engine; how many things that were."""
        ...

    def kept_seconds(self, job_id: str, *, claim: str) -> float:
        """How long the container of this run is kept if it failed, as it was set when the run was launched."""
        ...

    def job_ids(self) -> set[str]:
        """The jobs of this site of which the engine holds a container or a volume."""
        ...

    def runs(self, *, site: str | None = None) -> set[tuple[str, str]]:
        """The same as job and claim; of this site, or of one with another name."""
        ...

    def host_id(self) -> str:
        """The engine's own name: what runs here, runs nowhere else."""
        ...

    def capacity(self) -> EngineCapacity:
        """What the engine's machine has."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Of the engine and its parts."""
        ...

    def remove_canaries(self, *, before: float) -> int:
        """Remove what probes left that began before this time, in seconds since 1970; how many things that were."""
        ...

    def remove_of_processes(self, is_dead: Callable[[str], bool]) -> int:
        """Remove what carries the mark of a process of which `is_dead` says so; how many things that were."""
        ...

    def gpu_memory(self) -> Mapping[str, int]:
        """The engine's devices by UUID, and how many bytes of each are taken; empty when it has none."""
        ...

    def gpus_in_use(self) -> set[str]:
        """UUIDs that living containers hold, whoever started them."""
        ...

    def check(self) -> None:
        """Raises Unavailable when the engine does not answer."""
        ...
