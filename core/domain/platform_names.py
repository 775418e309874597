"""Names of the figures that the platform measures, and a check for names that look like them."""

from __future__ import annotations

import re
import unicodedata

SYSTEM = "system/"
"""Prefix of the platform's figures and of a submission's performance figures."""
CONFIG = "config/"
"""Prefix of the params that the platform takes from a submission's config."""
MEASURED = frozenset({
    "memory_bytes", "cpu_seconds", "pids", "wall_seconds", "log_bytes", "output_bytes", "output_files",
    "gpu_memory_bytes", "device_seconds",
})  # fmt: skip
"""Figures that the platform measures. A submission's own value never replaces a missing measurement."""
_ALIKE = str.maketrans("аеорсухѕіјԁԛԝһӏмткαορνικτυ01", "aeopcyxsijdqwhlmtkaopviktuol")
_UNITS, _WORDS = re.compile(r"[/:]"), re.compile(r"[/:.\s]")


def imitates(name: str) -> bool:
    """Whether a figure's name, or a part of its path, looks like one of the platform's.

    Case, signs, accents, a plural's s, and letters of other scripts that look like Latin ones make no difference.
    """
    parts = {name, *_UNITS.split(name), *_WORDS.split(name)}
    return claims_system(name) or any(_plain(part) in _PLAIN_MEASURED for part in parts)


def claims_system(name: str) -> bool:
    """Whether a name is below `system/`, or looks as if it were."""
    return "/" in name and _plain(name.partition("/")[0]) == _plain(SYSTEM)


def claims_config(name: str) -> bool:
    """Whether a param's name is below `config/`, in any case."""
    return name.casefold().startswith(CONFIG)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_ALIKE)
    return re.sub(r"[^a-z0-9]", "", folded).rstrip("s")


_PLAIN_MEASURED = frozenset(map(_plain, MEASURED))
