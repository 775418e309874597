"""Names of params and metrics as MLflow takes them, with letters of any script in composed form."""

from __future__ import annotations

import re
import unicodedata

from core.domain.platform_names import SYSTEM, claims_system
from core.domain.report_notes import shown_name
from core.domain.visible_text import visible

NAME_BYTES = 200
"""Of UTF-8. MLflow takes 250 characters; sealed results are sized by bytes."""
NAME = re.compile(r"[\w.][\w\-. :/]*")
"""MLflow's own rule, without a leading sign or blank; `..`, `/./` and `//` are refused as well."""
RULE = (
    "names hold letters and digits of any script, '_', '-', '.', ':', '/' and space, up to 200 bytes, "
    "without '..', and begin with a letter, a digit, '_' or '.'"
)
_ODD = re.compile(r"[^\w\-. :/]+")


def composed(name: str) -> str:
    """The name in composed form (NFC), without blanks at its ends: names that look the same are the same."""
    return unicodedata.normalize("NFC", name).strip()


def name_fault(name: str, *, of_metric: bool) -> str | None:
    """Why a composed name is not taken, and what to write; None if it is."""
    if not _is_taken(name):
        instead = composed(_ODD.sub("_", name)[:NAME_BYTES])
        hint = f" Call it {shown_name(instead)}." if instead != name and _is_taken(instead) else ""
        return f"{RULE}.{hint}"
    if of_metric and claims_system(name):
        return f"names that begin with {SYSTEM!r} are the platform's own. Use another name."
    return None


def _is_taken(name: str) -> bool:
    parts = name.split("/")
    return (
        NAME.fullmatch(name) is not None
        and len(name.encode("utf-8", "replace")) <= NAME_BYTES
        and ".." not in name
        and not any(part in {"", "."} for part in parts)
        and visible(name) == name
    )
