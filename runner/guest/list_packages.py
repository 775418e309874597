"""Prints an image's packages, and what its Python has for markers, as one line of JSON; imports none of them."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata

LONGEST = 300


def main() -> None:
    """Prints the first distribution of each name on the path: that is the one a program imports."""
    found: dict[str, dict[str, object]] = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name and one.version:
            needs = [text for text in one.requires or () if "extra" in text.partition(";")[2] and len(text) <= LONGEST]
            found.setdefault(name.lower(), {"name": name, "version": one.version, "extra_needs": needs[:500]})
    sys.stdout.write(json.dumps({"markers": _markers(), "packages": list(found.values())}) + "\n")


def _markers() -> dict[str, str]:
    full = platform.python_version()
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": full,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_system": platform.system(),
        "python_full_version": full,
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


if __name__ == "__main__":
    main()
