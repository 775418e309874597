"""The versions of the engine's parts against the lowest that have the fixes our walls lean on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

FLOORS: Mapping[str, tuple[tuple[int, ...], str]] = {
    "Engine": (
        (29, 5, 1),
        "before it, copies out of a container could be raced (CVE-2026-41568, CVE-2026-42306, CVE-2026-41567)",
    ),
    "runc": (
        (1, 3, 6),
        "before it, links could lead masked paths and writes to /proc elsewhere (CVE-2025-31133, CVE-2025-52881)",
    ),
}
NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def warnings(versions: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each part that is older than its floor, or does not say how old it is."""
    for name, (floor, why) in FLOORS.items():
        version = versions.get(name, "")
        if _numbers(version) < floor:
            wanted = ".".join(map(str, floor))
            yield (
                f"{name} {version or 'of an unknown version'} is older than {wanted}: {why}. "
                "A distribution's package may have the fixes under an older number: see its changelog, or update."
            )


def told(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _numbers(version: str) -> tuple[int, ...]:
    """Of the upstream version: what a distribution adds behind it counts for nothing."""
    found = NUMBERS.match(version.removeprefix("v"))
    return tuple(int(part) for part in found.group().split(".")) if found else ()
