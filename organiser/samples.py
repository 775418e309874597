"""The pictures of a data set, whatever its layout: which are for training, which are anomalous, and their masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.domain.benchmark import CATEGORY
from scorer.faults import Faults


class Refused(Exception):
    """Nothing was made. Its text is for the organiser: one line for each kind of fault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One picture to test on."""

    path: Path
    is_anomalous: bool
    mask: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One category as it was found."""

    name: str
    train: Sequence[Path]
    """Normal pictures to train on."""
    test: Sequence[Sample]

    @property
    def has_masks(self) -> bool:
        """Whether its pixels can be scored."""
        return all(sample.mask for sample in self.test if sample.is_anomalous)


def check_sources(sources: Sequence[Source], faults: Faults) -> None:
    """Adds what makes categories useless, before any picture is read."""
    if not sources:
        faults.add("there is no category in it")
    for twice in same_but_for_case([source.name for source in sources]):
        faults.add("the names of two categories differ only in upper and lower case; rename one of them", twice)
    for source in sources:
        _check_source(source, faults)


def _check_source(source: Source, faults: Faults) -> None:
    if not CATEGORY.fullmatch(source.name):
        faults.add(
            "a category's name must be of ASCII letters, digits, blanks and . _ - ; rename its folder", source.name
        )
    if not source.train:
        faults.add("a category has no normal pictures to train on", source.name)
    if not any(sample.is_anomalous for sample in source.test):
        faults.add("a category has no anomalous picture to test on, so nothing can be ranked", source.name)
    if all(sample.is_anomalous for sample in source.test):
        faults.add("a category has no normal picture to test on, so nothing can be ranked", source.name)
    masked = [sample for sample in source.test if sample.mask]
    for sample in source.test:
        if masked and sample.is_anomalous and not sample.mask:
            faults.add(
                "an anomalous picture has no mask, and others of its category have one; add it, or remove all masks",
                f"{source.name}/{sample.path.name}",
            )


def same_but_for_case(names: Sequence[str]) -> list[str]:
    """Names that another one has before them, upper and lower case alike."""
    seen: set[str] = set()
    twice = []
    for name in names:
        if name.casefold() in seen:
            twice.append(name)
        seen.add(name.casefold())
    return twice
