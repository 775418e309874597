"""The packages of a sandbox image, and what of a requirement they lack (FLD-8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from packaging.markers import InvalidMarker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import ConfigDict, Field

from core.domain.runners import Fact, Line

MOST_PACKAGES = 2000
MOST_NEEDS = 500
DEEPEST_EXTRA = 8
"""Levels of extras that need extras."""
LONGEST_NAME = 80
SAME_MODULE = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-python-headless",
    "sklearn": "scikit-learn",
    "pil": "pillow",
    "cv2": "opencv-python-headless",
    "yaml": "pyyaml",
    "skimage": "scikit-image",
}
"""Names that people write for a package of another name, which has the same module."""

Markers = Annotated[Mapping[Line, Line], Field(max_length=20)]
_NO_ANSWER = (InvalidMarker, InvalidRequirement, InvalidVersion, UndefinedEnvironmentName, RecursionError)


class ImagePackage(Fact):
    """One installed distribution."""

    name: Line
    version: Line
    extra_needs: Annotated[tuple[Line, ...], Field(max_length=MOST_NEEDS)] = ()
    """The requirements of its extras, each with its marker."""


class ImagePackages(Fact):
    """The distributions of one image, and the values that its Python has for markers."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    image_id: Line
    markers: Markers
    packages: Annotated[tuple[ImagePackage, ...], Field(max_length=MOST_PACKAGES)]

    @cached_property
    def _by_name(self) -> Mapping[str, ImagePackage]:
        return {canonicalize_name(package.name): package for package in self.packages}

    def lack_of(self, requirement: Requirement) -> Lack | None:
        """What the image lacks to meet the requirement; None if it has everything, or the marker excludes it."""
        return next(self._lacks(requirement, "", 0), None)

    def _lacks(self, requirement: Requirement, extra: str, depth: int) -> Iterator[Lack]:
        if not self._applies(requirement, extra):
            return
        found = self._by_name.get(canonicalize_name(requirement.name))
        if found is None or not _satisfies(found.version, requirement):
            twin = self._by_name.get(SAME_MODULE.get(canonicalize_name(requirement.name), ""))
            yield Lack(requirement=requirement, has=found.version if found else None, twin=twin.name if twin else None)
        elif requirement.extras and depth < DEEPEST_EXTRA:
            for wanted in sorted(requirement.extras):
                for need in found.extra_needs:
                    yield from self._lacks_of_need(need, wanted, depth + 1)

    def _lacks_of_need(self, need: str, extra: str, depth: int) -> Iterator[Lack]:
        try:
            requirement = Requirement(need)
        except InvalidRequirement:
            return
        yield from self._lacks(requirement, extra, depth)

    def _applies(self, requirement: Requirement, extra: str) -> bool:
        if requirement.marker is None:
            return True
        try:
            return requirement.marker.evaluate({**self.markers, "extra": extra})
        except _NO_ANSWER:
            return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """A requirement that an image does not meet."""

    requirement: Requirement
    has: str | None
    """The version that the image has of this package; None if it has none."""
    twin: str | None = None
    """A package of the image with the same module under another name."""

    @property
    def words(self) -> str:
        """What is missing, as a clause that goes after the requested line."""
        name = self.requirement.name[:LONGEST_NAME]
        if self.has is not None:
            return f"the image has {name} {self.has}"
        if self.twin is not None:
            return f"the image has no {name}, but {self.twin}, which has the same module"
        return f"the image has no {name}"


def _satisfies(version: str, requirement: Requirement) -> bool:
    """Whether an installed version is accepted, as by pip: pre-releases count, too."""
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return not requirement.specifier
