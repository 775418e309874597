"""Checks a submission's requirements.txt when it is uploaded and when a job is posted, by the same rules (FLD-8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import Fault, InvalidInput, Unavailable
from core.domain.image_packages import ImagePackages, Lack
from core.domain.limits import ResourceClass
from core.domain.runners import SeenRunner
from core.domain.submission import Findings
from core.ports.runners import RunnersPort
from core.usecases.requirements import NAME, Asked, read, requirements_of

MOST_NAMED = 10
"""Lines of one requirements.txt that are named in one answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offer:
    """One resource class, as its runners report it."""

    name: str
    images: Sequence[ImagePackages] | None
    """Every image in which its runs may find themselves; None if not all are known."""
    installs: bool

    def lacks(self, asked: Sequence[Asked]) -> list[tuple[Asked, Lack]]:
        """What its images lack, one for each line; empty if they are not known."""
        found = ((one, image.lack_of(one.requirement)) for one in asked for image in self.images or ())
        return list({one.line: (one, lack) for one, lack in found if lack is not None}.values())

    def can_run(self, asked: Sequence[Asked]) -> bool:
        """Whether its runs can have the packages, as far as is known."""
        return self.installs or not self.lacks(asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsCheck:
    """The rules of the file, and what the sandbox image of each class has, as the runners report it.

    Where no runner has reported, nothing is said about the image: the run finds out.
    """

    runners: RunnersPort
    resource_classes: Sequence[ResourceClass]
    """The first is the default."""

    def at_upload(self, folder: Path) -> Findings:
        """Faults if no class can run it; a note if the default class cannot."""
        try:
            asked = _asked(folder)
        except InvalidInput as error:
            return Findings(faults=error.faults)
        if not asked:
            return Findings()
        offers = self._offers()
        lacks = offers[0].lacks(asked)
        if not lacks or offers[0].installs:
            return Findings()
        able = [offer for offer in offers if offer.can_run(asked)]
        if not able:
            return Findings(faults=(*_faults(lacks), Fault(field=NAME, rule=_advice(able))))
        lines = "; ".join(fault.rule for fault in _faults(lacks))
        told = f"class {offers[0].name!r} installs no packages. {_advice(able)}"
        return Findings(notes=(f"{NAME}: {lines}; {told}.",))

    def for_job(self, folder: Path, resource_class: str) -> list[Fault]:
        """Faults that keep a job of this class from having its packages."""
        try:
            asked = _asked(folder)
        except InvalidInput as error:
            return list(error.faults)
        if not asked:
            return []
        offers = self._offers()
        wanted = next((offer for offer in offers if offer.name == resource_class), None)
        if wanted is None or wanted.can_run(asked):
            return []
        able = [offer for offer in offers if offer.can_run(asked)]
        advice = f"class {resource_class!r} installs no packages. {_advice(able)}"
        return [*_faults(wanted.lacks(asked)), Fault(field="config.resource_class", rule=advice)]

    def _offers(self) -> list[_Offer]:
        try:
            images = {image.image_id: image for image in self.runners.images()}
            seen = [runner for runner in self.runners.runners() if not runner.is_silent]
        except Unavailable:
            images, seen = {}, []
        return [_offer(item, seen, images) for item in self.resource_classes]


def _asked(folder: Path) -> tuple[Asked, ...]:
    content = requirements_of(folder)
    return read(content) if content is not None else ()


def _offer(item: ResourceClass, seen: Sequence[SeenRunner], images: Mapping[str, ImagePackages]) -> _Offer:
    figures = [found for runner in seen for found in runner.report.classes if found.name == item.name]
    known = bool(figures) and all(one.image_id in images for one in figures)
    ids = sorted({one.image_id for one in figures})
    told = [one.installs for one in figures if one.installs is not None]
    return _Offer(
        name=item.name,
        images=tuple(images[image_id] for image_id in ids) if known else None,
        installs=any(told) if told else item.requirements,
    )


def _faults(lacks: Sequence[tuple[Asked, Lack]]) -> list[Fault]:
    """One fault for each of the first lines, and one that counts the others."""
    rules = [
        f"line {one.line} asks for {str(one.requirement)[:80]!r}; {lack.answer_to(one.requirement)}"
        for one, lack in lacks[:MOST_NAMED]
    ]
    if len(lacks) > MOST_NAMED:
        rules.append(f"and {len(lacks) - MOST_NAMED} more lines")
    return [Fault(field=NAME, rule=rule) for rule in rules]


def _advice(able: Sequence[_Offer]) -> str:
    """Which class has or installs what is missing, or what else to do."""
    if able:
        how = "installs packages" if all(offer.installs for offer in able) else "has what is asked for"
        return f"Use class {' or '.join(offer.name for offer in able)}, which {how}"
    return "This site installs no packages: do without what is missing, or ask its admin for it"
