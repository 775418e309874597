"""Answers to admins about runners, queues and failed steps."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from core.domain.dead_letter import DeadLetter
from core.domain.retention import Expired
from core.domain.runners import DiskFigures, HostReport, RunnerReport, SeenHost, SeenRunner, Wish
from gateway.schemas.jobs import Answer


class RunnerView(RunnerReport):
    """One process that runs jobs. A `silent` one has stopped reporting; after five minutes it is no longer listed."""

    silent_seconds: float
    silent: bool
    wish: Wish

    @classmethod
    def of(cls, seen: SeenRunner) -> Self:
        told = seen.report.model_dump() | {"state": seen.state, "reason": seen.reason, "jobs": seen.jobs}
        return cls(**told, silent_seconds=round(seen.silent_seconds, 1), silent=seen.is_silent, wish=seen.wish)


class HostView(HostReport):
    """One engine and what runs in it. A `silent` one is shown as last reported, without sandboxes and GPUs in use."""

    silent_seconds: float
    silent: bool

    @classmethod
    def of(cls, seen: SeenHost) -> Self:
        told = seen.report.model_dump() | ({"sandboxes": (), "gpus_in_use": ()} if seen.is_silent else {})
        return cls(**told, silent_seconds=round(seen.silent_seconds, 1), silent=seen.is_silent)


class RunnerList(Answer):
    runners: list[RunnerView]
    hosts: list[HostView]


class RunnerDetail(Answer):
    """A runner, or all runners of a host, and that host (null when it has not reported)."""

    runners: list[RunnerView]
    host: HostView | None


class QueueView(Answer):
    resource_class: str
    waiting: int
    running: int
    runners_ready: int


class NoticeView(Answer):
    """Something that an admin should look at now, and what to do about it."""

    kind: Literal["storage", "runner", "host", "clock", "old_engine", "benchmark"]
    host: str = Field(default="", description="The host that it is about; empty for the gateway's own.")
    text: str
    advice: str
    takes_jobs: bool = Field(default=False, description="Whether jobs, or uploads, are taken there all the same.")
    part: str | None = Field(default=None, description="Of an old engine: the part that is too old.")
    version: str | None = Field(default=None, description="Of an old engine: empty when the part does not tell it.")
    floor: str | None = Field(default=None, description="Of an old engine: the lowest safe version.")


class Overview(Answer):
    """The site at a glance."""

    queues: list[QueueView]
    runners: int
    runners_ready: int
    sandboxes: int
    dead_letters: int
    disks: list[DiskFigures]
    notices: list[NoticeView]
    mended: dict[str, int] = Field(
        description="How often sweepers mended what a crash, an outage or a lost message had left, by kind."
    )
    clock_skew_seconds: float = Field(
        default=0.0, description="The gateway's clock is so far ahead of Redis's, to half of the round trip."
    )


class DeadLetterView(Answer):
    """A step of the platform that failed, with its stack frames but no values."""

    letter_id: str
    step: str
    error: str
    message: str
    frames: list[str]
    process: str
    job_id: str | None
    user_id: str | None
    attempt: int | None
    count: int
    first_at: datetime
    last_at: datetime

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        return cls(**letter.failure.model_dump(), **letter.model_dump(exclude={"failure"}))


class DeadLetterList(Answer):
    items: list[DeadLetterView]
    total: int


class OldRunView(Answer):
    run_id: str
    experiment_id: str
    job_id: str


class RetentionView(Answer):
    """Ids of what would be or was removed; where `days` is 0 nothing is removed."""

    days: int
    before: datetime
    jobs: list[str]
    submissions: list[str]
    logs: list[str]
    runs: list[OldRunView]
    trimmed: int

    @classmethod
    def of(cls, expired: Expired, *, days: int) -> Self:
        known = {name: getattr(expired, name) for name in ("before", "jobs", "submissions", "logs", "trimmed")}
        return cls(**known, days=days, runs=[OldRunView.model_validate(run) for run in expired.runs])


class PinList(Answer):
    job_ids: list[str]
