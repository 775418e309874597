"""Compares the versions of the engine's parts with the lowest that have the fixes our walls rely on.

python -m runner.engine.advisories Engine=29.5.1 runc=1.3.6      prints what is too old, and ends with 1 then
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from core.domain.runners import OldPart

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
"""Both apply under gVisor, too: runc still starts the containers that serve a run (its volume, its packages)."""
NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
BEFORE_RELEASE = re.compile(r"[-~+.]?(?:rc|alpha|beta|pre|dev)", re.IGNORECASE)


def old_parts(versions: Mapping[str, str]) -> tuple[OldPart, ...]:
    """Each part that is older than its floor, or whose version the engine does not say."""
    return tuple(
        OldPart(part=name, version=versions.get(name, "")[:80], floor=".".join(map(str, floor)), why=why)
        for name, (floor, why) in FLOORS.items()
        if _is_below(versions.get(name, ""), floor)
    )


def refusal(old: Sequence[OldPart]) -> str | None:
    """Why no job is begun on such an engine, in a sentence for admins; None when no part is old."""
    if not old:
        return None
    parts = ", ".join(f"{one.part} {one.version or 'of an unknown version'} (lowest: {one.floor})" for one in old)
    return f"its engine is older than the lowest safe version: {parts}; ALLOW_OLD_ENGINE=true takes jobs all the same"


def versions_line(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def main(words: Sequence[str]) -> int:
    old = old_parts(dict(word.partition("=")[::2] for word in words))
    sys.stdout.writelines(f"{one.sentence}\n" for one in old)
    return 1 if old else 0


def _is_below(version: str, floor: tuple[int, ...]) -> bool:
    """Compares upstream's numbers. Ignores what a distribution appends; a version without numbers counts as below."""
    text = version.strip().removeprefix("v")
    found = NUMBERS.match(text)
    if found is None:
        return True
    numbers = tuple(int(part[:9]) for part in found.group().split("."))
    return numbers < floor or (numbers == floor and BEFORE_RELEASE.match(text[found.end() :]) is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
