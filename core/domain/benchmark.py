"""A benchmark: which data, which metrics, and which direction of each is better (SCO-1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

BENCHMARK_NAME = r"^[a-z][a-z0-9_-]{0,63}$"
CATEGORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,98}[A-Za-z0-9._-])?")
"""anomalib refuses paths with anything but printable ASCII; signs that mean something to shells are left out, too."""
OTHER_CATEGORY = (
    "{found} is no name that anomalib takes: it refuses folders with anything but ASCII. Rename the folder with "
    "letters, digits, blanks, '.', '_' and '-', and write that name here"
)
TWICE = "{found} is there twice; leave one out"


USUAL_ALIASES: Mapping[str, tuple[str, ...]] = {
    "image_auc": ("image_AUROC",),
    "image_f1": ("image_F1Score",),
    "image_ap": ("image_AUPR",),
    "pixel_auc": ("pixel_AUROC",),
    "pixel_f1": ("pixel_F1Score",),
    "pixel_ap": ("pixel_AUPR",),
    "pixel_pro": ("pixel_AUPRO",),
}
"""anomalib's own names (`Engine.test()`), for metrics whose benchmark names no aliases."""


class Direction(StrEnum):
    """Whether higher or lower values of a metric are better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class Scoring(StrEnum):
    """The source of the numbers that count."""

    REPORTED = "reported"
    """The submission's own numbers; the board says so."""
    VERIFIED = "verified"
    """Computed by the platform from a run's predictions and labels that the run never saw."""


UNSUPPORTED_SCORING = (
    "scoring: {found} is not supported. Write scoring: verified (the platform computes the numbers from predictions "
    "and hidden labels), or scoring: reported (the submission's own numbers count, and the board says so)"
)
OTHER_IMAGE = (
    "image: {found} is not supported: every run uses the sandbox image of the site. Write image: sandbox, or leave the "
    "line out"
)
UNKNOWN_KEYS = "the key {found} is not known, so it would do nothing. Remove it; known keys are {known}"


class MetricRule(BaseModel):
    """One metric of a benchmark; a value outside its bounds is not ranked."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    direction: Direction = Direction.MAXIMIZE
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None
    aliases: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=20)] | None = (
        None
    )
    """Other names under which a run may report this metric, in any case; None: those of USUAL_ALIASES."""
    rerun_tolerance: Annotated[float, Field(ge=0, le=1)] | None = None
    """By how much a rerun may differ and still hold, as a share of the larger value; None: see `core.domain.rerun`."""

    @property
    def other_names(self) -> tuple[str, ...]:
        """The aliases that hold: the benchmark's own, else the usual ones."""
        return USUAL_ALIASES.get(self.name, ()) if self.aliases is None else self.aliases

    def admits(self, value: float) -> bool:
        """Whether a finite value lies within the bounds."""
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


def _category(name: str) -> str:
    if not CATEGORY.fullmatch(name):
        raise ValueError(OTHER_CATEGORY.format(found=repr(name[:80])))
    return name


def _shown(value: object) -> str:
    """A value of a file in few words: lists and mappings, which may hold each other without end, by their kind."""
    return str(value)[:80] if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


class Benchmark(BaseModel):
    """The content of `benchmark.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=BENCHMARK_NAME)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=4000)] = ""
    image: Literal["sandbox"] = "sandbox"
    data: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = "public"
    categories: tuple[Annotated[str, AfterValidator(_category)], ...] = ()
    scoring: Scoring = Scoring.REPORTED
    primary_metric: str
    metrics: Annotated[tuple[MetricRule, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _says_nothing_in_vain(cls, document: Any) -> Any:
        """Refuse keys and values that this version would ignore, with a message that names them."""
        if not isinstance(document, dict):
            raise ValueError("it must be a mapping of keys, such as name, title, primary_metric and metrics")  # noqa: TRY004 pydantic's
        if vain := cls.vain_settings(document):
            raise ValueError("; ".join(vain.values()))
        return document

    @classmethod
    def vain_settings(cls, document: Mapping[Any, Any]) -> dict[Any, str]:
        """The keys that do nothing in this version, with what to do about each."""
        known = ", ".join(cls.model_fields)
        vain = {
            key: UNKNOWN_KEYS.format(found=repr(str(key)[:80]), known=known)
            for key in document
            if key not in cls.model_fields
        }
        if (scoring := document.get("scoring", Scoring.REPORTED)) not in [*Scoring]:
            vain["scoring"] = UNSUPPORTED_SCORING.format(found=_shown(scoring))
        if (image := document.get("image", "sandbox")) != "sandbox":
            vain["image"] = OTHER_IMAGE.format(found=_shown(image))
        return vain

    @model_validator(mode="after")
    def _metrics_fit(self) -> Self:
        if twice := [name for name in self.categories if self.categories.count(name) > 1]:
            raise ValueError(f"categories: {TWICE.format(found=repr(twice[0]))}")
        names = [metric.name for metric in self.metrics]
        if len(set(names)) != len(names):
            raise ValueError("two metrics have one name")
        if self.primary_metric not in names:
            raise ValueError(f"primary_metric {self.primary_metric!r} is not among the metrics")
        self._check_aliases(names)
        return self

    def _check_aliases(self, names: list[str]) -> None:
        """Each name stands for one metric, whatever its case. Raises ValueError."""
        taken = {name.casefold(): name for name in names}
        for metric in self.metrics:
            for alias in metric.aliases or ():
                owner = taken.setdefault(alias.casefold(), metric.name)
                if owner != metric.name:
                    raise ValueError(f"the alias {alias!r} of {metric.name!r} stands for {owner!r} already")

    def metric(self, name: str) -> MetricRule | None:
        return next((metric for metric in self.metrics if metric.name == name), None)
