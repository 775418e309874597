"""The settings of a run at its launch, kept in its folder: every runner that goes on with the run judges it by them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import structlog
from pydantic import BaseModel, ConfigDict, Field

from core.domain.benchmark import Scoring
from core.domain.limits import ResourceClass
from core.domain.verdict import FailureReason, PrintLimits, RunRecord, Stop, Verdict, judge

GRACE_SECONDS: Mapping[Stop, float] = {Stop.CANCEL: 2.0, Stop.LOG_LIMIT: 0.0, Stop.TIMEOUT: 10.0}

TRIAL_TIMEOUT = (
    "The trial was stopped after {seconds} s, the limit of a trial. What it printed until then is in the log. A job of "
    "class {name!r} has {job_seconds} s. Try it with less work (fewer epochs by an override), or submit it."
)

log = structlog.get_logger(__name__)


class LogLimits(BaseModel):
    """How many bytes and lines a run may print, and how many bytes of that are kept."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    max_bytes: int
    max_lines: int
    kept_bytes: int

    @property
    def most_printed(self) -> PrintLimits:
        return PrintLimits(max_bytes=self.max_bytes, max_lines=self.max_lines)


class LaunchSettings(BaseModel):
    """Every setting that is read about a run after its launch, as it was at that moment.

    An older version of the runner ignores fields that a newer one added. A new field needs a default, for older files.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    limits: ResourceClass
    image: str
    log: LogLimits
    grace_seconds: Mapping[Stop, float] = Field(default_factory=lambda: dict(GRACE_SECONDS))
    """Between SIGTERM and SIGKILL, by the reason of the stop."""
    job_seconds: int | None = None
    """Of a trial: the time that a job of its class has; None for a job."""
    scoring: Scoring = Scoring.REPORTED
    """That of its benchmark."""

    @classmethod
    def read(cls, text: bytes) -> LaunchSettings | None:
        """Parses stored settings; None when they are not what any version has written."""
        try:
            found = json.loads(text)
            found["limits"] = {
                name: found["limits"][name] for name in ResourceClass.model_fields if name in found["limits"]
            }
            return cls.model_validate(found)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("launch settings not readable", error=str(error)[:200])
            return None

    def verdict(self, record: RunRecord) -> Verdict:
        is_scored = self.scoring is Scoring.VERIFIED
        found = judge(record, self.limits, self.log.most_printed, is_scored=is_scored)
        if self.job_seconds is None or found.reason is not FailureReason.TIMEOUT:
            return found
        message = TRIAL_TIMEOUT.format(
            seconds=self.limits.timeout_seconds, name=self.limits.name, job_seconds=self.job_seconds
        )
        return replace(found, message=message)

    def for_trial(self, seconds: int) -> LaunchSettings:
        """The same, with the time limit of a trial."""
        limits = self.limits.model_copy(update={"timeout_seconds": min(seconds, self.limits.timeout_seconds)})
        return self.model_copy(update={"limits": limits, "job_seconds": self.limits.timeout_seconds})

    def text(self) -> bytes:
        return self.model_dump_json().encode()
