"""Builds a job's config from what a submitter chose and what the program is to get besides."""

from collections.abc import Mapping
from typing import Any


def job_config(overrides: Mapping[str, Any], *, benchmark: str | None, resource_class: str | None) -> dict[str, Any]:
    """Overrides for the program, plus the named choices that were made, which win over overrides of the same name."""
    chosen = {"benchmark": benchmark, "resource_class": resource_class}
    return {**overrides, **{name: value for name, value in chosen.items() if value}}
