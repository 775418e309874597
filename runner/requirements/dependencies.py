"""Refuses, finds or installs a submission's requirements before its run; they are mounted read-only (BOX-7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from packaging.requirements import Requirement

from core.domain.errors import InvalidInput, Unavailable
from core.domain.image_packages import ImagePackages
from core.domain.verdict import FailureReason, Verdict
from core.ports.sandbox import SandboxSpec
from core.usecases.requirements import NAME, parse, requirements_of
from runner.requirements.cache import HELD, DependencyCache, Entry
from runner.requirements.installer import ADVICE, Installer, RequirementsFailed
from runner.run_folder import RunFolder

ALL_THERE = "Requirements: the sandbox image has all of them."
MOST_NAMED = 5
"""Missing packages that are named in one message."""


class Preparing(Protocol):
    """Adds packages to the spec of a run before its launch."""

    def prepared(
        self, spec: SandboxSpec, folder: RunFolder, *, say: Callable[[str], None], check: Callable[[], None]
    ) -> SandboxSpec:
        """The spec with its packages added. Raises RequirementsFailed, Unavailable, and what `check` raises."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependencies:
    """Installs in the real engine, and reuses what was installed for earlier runs."""

    installer: Installer
    cache: DependencyCache
    packages_of: Callable[[str], ImagePackages]
    """What the image of this name has. Raises Unavailable."""
    installing: Sequence[str] = ()
    """The classes whose requirements are installed, for advice."""

    def prepared(
        self, spec: SandboxSpec, folder: RunFolder, *, say: Callable[[str], None], check: Callable[[], None]
    ) -> SandboxSpec:
        wanted = _wanted(spec)
        if not wanted:
            return spec
        lacks = self._lacks(spec, wanted)
        if not lacks:
            say(ALL_THERE)
            return spec
        self._check_installs(spec, lacks)
        image_id = self.installer.image_id(spec.image)
        key = key_of(wanted, image_id=image_id, index=self.installer.index.mark)
        entry = self.cache.held(key, folder.path)
        if entry is None:
            say(f"Installing {len(wanted)} requirements from the package index …")
            self._install(key, replace(spec, image=image_id), wanted, check)
            entry = self.cache.held(key, folder.path)
        if entry is None:  # evicted for others installed meanwhile: no fault of the submission
            raise Unavailable("The kept packages", "they had to make room before the run could hold them")
        for line in _lines_of(entry):
            say(line)
        return replace(spec, dependencies=entry.tree)

    def _lacks(self, spec: SandboxSpec, wanted: tuple[str, ...]) -> list[str]:
        """What of the requirements the image does not have, a clause for each."""
        image = self.packages_of(spec.image)
        found = ((one, image.lack_of(one)) for one in map(Requirement, wanted))
        return [f"{str(one)[:80]!r}: {lack.answer_to(one)}" for one, lack in found if lack is not None]

    def _check_installs(self, spec: SandboxSpec, lacks: Sequence[str]) -> None:
        """Raises RequirementsFailed when what the image lacks is not installed for this run."""
        if spec.limits.requirements and self.installer.index.urls:
            return
        able = " or ".join(self.installing) if self.installer.index.urls else ""
        advice = f"Use class {able}, which installs packages" if able else "This site installs none: ask its admin"
        raise RequirementsFailed(
            f"Class {spec.limits.name!r} installs no packages. {NAME}: {', '.join(lacks[:MOST_NAMED])}. {advice}."
        )

    def _install(self, key: str, spec: SandboxSpec, wanted: tuple[str, ...], check: Callable[[], None]) -> None:
        certificates = self.installer.index.ca
        ca = self.cache.file(certificates) if certificates is not None and certificates.is_file() else None
        with self.cache.staging() as staging:
            packages = self.installer.install(spec, wanted, staging / "tree", ca=ca, check=check)
            self.cache.publish(key, staging, packages)


@dataclass(frozen=True, slots=True)
class NoDependencies:
    """Installs nothing, and refuses submissions that ask for packages."""

    def prepared(
        self,
        spec: SandboxSpec,
        folder: RunFolder,  # noqa: ARG002
        *,
        say: Callable[[str], None],  # noqa: ARG002
        check: Callable[[], None],  # noqa: ARG002
    ) -> SandboxSpec:
        if _wanted(spec):
            raise RequirementsFailed("This runner installs no packages. Use what the sandbox image has.")
        return spec


def verdict_of(error: RequirementsFailed, *, say: Callable[[str], None], quote: Callable[[str], None]) -> Verdict:
    """Writes all of the error to the log, pip's lines as quotes; the verdict has its first sentence."""
    first, *more = str(error).splitlines()
    if more:
        say(first)
    for line in more:
        (say if line == ADVICE else quote)(line)
    told = f"{first.partition(';')[0]}. The log has pip's last lines." if more else first
    return Verdict(reason=FailureReason.REQUIREMENTS, message=told)


def used_by(folder: RunFolder) -> str:
    """The cache key of a run's packages, for its record; empty when it asked for none."""
    marker = folder.path / HELD
    return marker.read_text() if marker.is_file() else ""


def key_of(wanted: tuple[str, ...], *, image_id: str, index: str) -> str:
    """The cache key: the same requirements on the same image from the same index have one entry."""
    return hashlib.sha256("\n".join([image_id, index, *wanted]).encode()).hexdigest()


def _wanted(spec: SandboxSpec) -> tuple[str, ...]:
    content = requirements_of(spec.submission)
    if content is None:
        return ()
    try:
        return parse(content)
    except InvalidInput as error:
        raise RequirementsFailed(f"{error}.") from error


def _lines_of(entry: Entry) -> list[str]:
    if not entry.packages:
        return [ALL_THERE]
    lines = [f"  {one['name']}=={one['version']} sha256:{one['sha256']}" for one in entry.packages]
    return [f"Requirements {entry.key[:12]}, read-only at /deps:", *lines]
