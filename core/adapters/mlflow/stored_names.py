"""The names under which MLflow keeps a run's files: their own, but for the signs that MLflow refuses or changes.

MLflow refuses `#`, decodes `%41`, drops a `?` or `;` at the end and a blank at the beginning, takes `C:` for a drive
and a leading `..` for the parent folder, and reserves a prefix. Such a sign is stored as `~` and its two hex digits.
"""

from __future__ import annotations

import hashlib
import re

LONGEST_BYTES = 255
"""Longest name that a file system takes."""
HASH_DIGITS = 32
_CHANGED = re.compile(r"[#%?;:\\]|~(?=[0-9A-F]{2})|^ |^\.(?=\.|artifact\.uploading\.)")
_STORED = re.compile(r"~([0-9A-F]{2})")
_HASHED = re.compile(rf"~~[0-9a-f]{{{HASH_DIGITS}}}")


def stored_name(path: str) -> str:
    """The path of a run's file at MLflow."""
    return "/".join(map(_stored_part, path.split("/")))


def own_name(stored: str) -> str:
    """The path of a run's file, by its path at MLflow; a name that was too long stays as it is there."""
    return "/".join(map(_own_part, stored.split("/")))


def _stored_part(part: str) -> str:
    stored = _CHANGED.sub(lambda found: f"~{ord(found[0]):02X}", part)
    if len(stored.encode()) <= LONGEST_BYTES:
        return stored
    return f"~~{hashlib.sha256(part.encode()).hexdigest()[:HASH_DIGITS]}"


def _own_part(stored: str) -> str:
    if _HASHED.fullmatch(stored):
        return stored
    return _STORED.sub(lambda found: chr(int(found[1], 16)), stored)
