"""A job beside the one that it repeats, as the API answers it."""

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class MetricChange(_Part):
    """One metric of both jobs."""

    name: str
    old: float | None = None
    new: float | None = None
    difference: float | None = None
    agreement: str = ""
    """`equal`, `within`, `differs` or `missing`."""
    tolerance: float | None = None
    """None if the metric does not decide whether the result holds."""

    @property
    def words(self) -> str:
        """How both compare, for people."""
        known = {"within": f"within {self.tolerance:g}" if self.tolerance is not None else "close"}
        found = known.get(self.agreement, self.agreement)
        return found if self.tolerance is not None else f"{found} (does not count)"


class OriginChange(_Part):
    """A part of where the results come from that differs."""

    part: str
    old: str | None = None
    new: str | None = None

    @property
    def words(self) -> str:
        """The change in one line."""
        return f"{self.part}: {self.old or 'not noted'} → {self.new or 'not noted'}"


class Rerun(_Part):
    """Whether a job that repeats another one has its result."""

    of: str
    holds: bool | None = None
    words: str = ""
    metrics: tuple[MetricChange, ...] = ()
    origins: tuple[OriginChange, ...] = ()
