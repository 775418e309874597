"""The settings of a run at its launch, kept in its folder: every runner that goes on with the run judges it by them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog
from pydantic import BaseModel, ConfigDict, Field

from core.domain.limits import ResourceClass
from core.domain.verdict import PrintLimits, RunRecord, Stop, Verdict, judge

GRACE_SECONDS: Mapping[Stop, float] = {Stop.CANCEL: 2.0, Stop.LOG_LIMIT: 0.0, Stop.TIMEOUT: 10.0}

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
        return judge(record, self.limits, self.log.most_printed)

    def text(self) -> bytes:
        return self.model_dump_json().encode()
