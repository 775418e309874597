"""A storage on a temporary folder, and what is left in it."""

from __future__ import annotations

from pathlib import Path


def left_over(root: Path) -> list[str]:
    """Whatever stands among the submissions, staging included and empty indexes not."""
    return sorted(
        path.relative_to(root).as_posix() for path in (root / "submissions").rglob("*") if path.name != ".staging"
    )
