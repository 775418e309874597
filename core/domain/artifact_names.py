"""The rules for names of a run's files: any script and any sign, as long as none leads elsewhere."""

from __future__ import annotations

import unicodedata

from core.domain.limits import UploadLimits

LIMITS = UploadLimits()


def name_faults(path: str) -> list[str]:
    """The rules that the path of a run's file breaks, in words; empty if it can be kept and fetched under this name."""
    parts = path.split("/")
    rules = []
    if any(part in {"", ".", ".."} for part in parts):
        rules.append("must not contain '..', '.' or empty parts")
    kinds = {unicodedata.category(sign) for sign in path}
    if "Cs" in kinds:
        return [*rules, "must be UTF-8"]
    if "Cc" in kinds:
        rules.append("must not contain control characters")
    if len(path.encode()) > LIMITS.path_bytes or any(len(part.encode()) > LIMITS.name_bytes for part in parts):
        rules.append(f"must be at most {LIMITS.path_bytes} bytes, each part at most {LIMITS.name_bytes}")
    if len(parts) > LIMITS.depth:
        rules.append(f"must be at most {LIMITS.depth} levels deep")
    return rules
