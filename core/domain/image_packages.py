"""The packages of a sandbox image, and what of a requirement they lack (FLD-8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
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

    @cached_property
    def by_extra(self) -> Mapping[str, Sequence[Requirement]]:
        """The requirements in whose markers each extra is named; what cannot be read is left out."""
        found: dict[str, list[Requirement]] = {}
        for text in self.extra_needs:
            for extra in {canonicalize_name(name) for name in EXTRA.findall(text)}:
                with suppress(InvalidRequirement):
                    found.setdefault(extra, []).append(Requirement(text))
        return found


class ImagePackages(Fact):
    """The distributions of one image, and the values that its Python has for markers."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    image_id: Line
    markers: Markers
    packages: Annotated[tuple[ImagePackage, ...], Field(max_length=MOST_PACKAGES)]

    @cached_property
    def _by_name(self) -> Mapping[str, ImagePackage]:
        return {canonicalize_name(package.name): package for package in self.packages}

    @cached_property
    def _of_extras(self) -> dict[tuple[str, str], Lack | None]:
        """What each extra lacks, once looked up: a list of requirements may name one in every line."""
        return {}

    def lack_of(self, requirement: Requirement) -> Lack | None:
        """What the image lacks to meet the requirement; None if it has everything, or the marker excludes it."""
        return self._lack(requirement, "")

    def _lack(self, requirement: Requirement, extra: str) -> Lack | None:
        if not self._applies(requirement, extra):
            return None
        found = self._by_name.get(canonicalize_name(requirement.name))
        if found is None or not _satisfies(found.version, requirement):
            twin = self._by_name.get(SAME_MODULE.get(canonicalize_name(requirement.name), ""))
            return Lack(requirement=requirement, has=found.version if found else None, twin=twin.name if twin else None)
        lacks = (self._lack_of_extra(found, name) for name in map(canonicalize_name, sorted(requirement.extras)))
        return next((lack for lack in lacks if lack is not None), None)

    def _lack_of_extra(self, package: ImagePackage, extra: str) -> Lack | None:
        """What an extra needs and the image lacks; of an extra that the package does not have, nothing, as for pip."""
        needs, key = package.by_extra.get(extra), (package.name, extra)
        if needs is None:
            return None
        if key not in self._of_extras:
            self._of_extras[key] = None  # extras may need each other
            lacks = (self._lack(need, extra) for need in needs)
            self._of_extras[key] = next((lack for lack in lacks if lack is not None), None)
        return self._of_extras[key]

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

    def answer_to(self, asked: Requirement) -> str:
        """The same with what to write, where another spelling of the requested line would do."""
        if self.requirement is not asked:  # an extra of it needs this
            return self.words
        if self.has is not None:
            return f"{self.words}: if that will do, write {self.requirement.name[:LONGEST_NAME]}"
        return f"{self.words}: write that name" if self.twin is not None else self.words

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
