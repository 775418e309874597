"""Limits: resource classes of runs, sizes of uploads, amounts per user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024**2
GIB = 1024**3
LEAST_MEMORY_BYTES = 64 * MIB
RESERVED_BYTES = GIB
"""Memory of the engine's machine that is kept for the platform; a tenth of the machine's memory if that is more."""
SITE_IMAGE = "sandbox"
Positive = Annotated[int, Field(ge=1)]


class GpuPolicy(StrEnum):
    """Whether a resource class needs a GPU."""

    NONE = "none"
    """Runs on the CPU."""
    AUTO = "auto"
    """One whole device if the engine has any, else the CPU; the job says which."""
    REQUIRED = "required"
    """One whole device; the job waits until one is free."""


class ResourceClass(BaseModel):
    """The limits of one run. Memory includes the process, /job, /tmp, /dev/shm and /out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    cpus: Annotated[float, Field(gt=0, le=1024)]
    memory_bytes: Annotated[int, Field(ge=LEAST_MEMORY_BYTES)]
    gpus: GpuPolicy = GpuPolicy.AUTO
    timeout_seconds: Annotated[int, Field(ge=1, le=7 * 24 * 3600)]
    output_bytes: Annotated[int, Field(ge=MIB)]
    output_files: Annotated[int, Field(ge=16)] = 20_000
    pids: Annotated[int, Field(ge=16)] = 512
    shm_bytes: Annotated[int, Field(ge=MIB)] = GIB
    tmp_bytes: Annotated[int, Field(ge=MIB)] = GIB
    job_bytes: Annotated[int, Field(ge=MIB)] = GIB
    """Size of /job: the copy of the submission's files, and what the run writes beside them."""
    image: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,199}$")] = SITE_IMAGE
    """The image of its runs, as the engine names it; SITE_IMAGE is the site's own, SANDBOX_IMAGE."""
    requirements: bool = False
    """Whether a submission's requirements.txt is installed, from the site's index (BOX-7)."""

    def image_of(self, site_image: str) -> str:
        """The engine's name of the image of its runs, on a site whose SANDBOX_IMAGE is `site_image`."""
        return site_image if self.image == SITE_IMAGE else self.image


SMALL = ResourceClass(name="small", cpus=2, memory_bytes=4 * GIB, timeout_seconds=30 * 60, output_bytes=512 * MIB)
MEDIUM = ResourceClass(
    name="medium", cpus=4, memory_bytes=16 * GIB, timeout_seconds=60 * 60, output_bytes=2 * GIB, requirements=True
)


class RequirementsLimits(BaseModel):
    """Limits of what one requirements.txt may install, and of all that is kept; sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    installed_bytes: Annotated[int, Field(ge=MIB)] = 512 * MIB
    """Memory used during the installation; the wheels may take as much again."""
    files: Annotated[int, Field(ge=16)] = 50_000
    kept_bytes: Annotated[int, Field(ge=0)] = 10 * GIB


class ScoringLimits(BaseModel):
    """Limits of the container that scores one run's predictions; sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    memory_bytes: Annotated[int, Field(ge=64 * MIB)] = 2 * GIB
    cpus: Annotated[float, Field(ge=0.1)] = 1.0
    pids: Annotated[int, Field(ge=4)] = 64
    tmp_bytes: Annotated[int, Field(ge=MIB)] = 64 * MIB
    """Of its /tmp, which counts towards its memory."""


class EngineCapacity(BaseModel):
    """CPUs and memory of the engine's machine."""

    model_config = ConfigDict(frozen=True)

    cpus: int
    memory_bytes: int


def fit(wanted: ResourceClass, engine: EngineCapacity) -> tuple[ResourceClass, list[str]]:
    """`wanted`, lowered to what the engine has, and one sentence for each value that was lowered."""
    notices = []
    changes: dict[str, float | int] = {}
    if wanted.cpus > engine.cpus:
        changes["cpus"] = engine.cpus
        notices.append(f"class {wanted.name}: {wanted.cpus:g} CPUs lowered to the engine's {engine.cpus}")
    usable = max(LEAST_MEMORY_BYTES, engine.memory_bytes - max(RESERVED_BYTES, engine.memory_bytes // 10))
    if wanted.memory_bytes > usable:
        changes["memory_bytes"] = usable
        notices.append(
            f"class {wanted.name}: {wanted.memory_bytes // MIB} MiB of memory lowered to {usable // MIB} MiB, "
            "which leaves the engine's machine some for itself"
        )
    return wanted.model_copy(update=changes), notices


class UploadLimits(BaseModel):
    """Limits of one upload and of what its archives unpack to (SUB-2, SUB-3); sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_bytes: Positive = 100 * 1000 * 1000
    files: Positive = 200
    field_bytes: Positive = 64 * 1024
    unpacked_bytes: Positive = 1000 * 1000 * 1000
    entries: Positive = 10_000
    ratio: Positive = 100
    depth: Positive = 32
    name_bytes: Positive = 255
    path_bytes: Positive = 1024


class RequestLimits(BaseModel):
    """Limits of one request, applied before its content is parsed; sizes in bytes, times in seconds."""

    model_config = ConfigDict(frozen=True)

    json_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024
    body_seconds: Annotated[float, Field(gt=0)] = 15.0
    upload_seconds: Annotated[float, Field(gt=0)] = 600.0
    """100 MB at 1.4 Mbit/s."""
    in_hand: Annotated[int, Field(ge=1)] = 1000
    """Concurrent requests, open log streams included. A further one is answered 503 at once."""


class UserLimits(BaseModel):
    """How much one user may ask for (JOB-4)."""

    model_config = ConfigDict(frozen=True)

    jobs_per_hour: Annotated[int, Field(ge=1)] = 10
    concurrent_running: Annotated[int, Field(ge=1)] = 1
    trials_per_hour: Annotated[int, Field(ge=1)] = 20
    """Trials are no jobs of the hour: they are counted by themselves."""
    trials_at_once: Annotated[int, Field(ge=1)] = 1
    queue_when_over: bool = False
    """If True, a job beyond `concurrent_running` waits in the queue; if False, it is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What is left of a user's hourly limit, and in how many seconds the next place is free (0: no place is used)."""

    limit: int
    remaining: int
    renews_in_seconds: int
