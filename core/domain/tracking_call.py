"""A call of MLflow: the request as it arrived, and the call that it was understood as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Shows(StrEnum):
    """The kind of an answer."""

    PAGE = "page"
    """The page of MLflow's UI."""
    PART = "part"
    """A script, style sheet or picture of that page, which never changes under its name."""
    DATA = "data"
    """JSON."""
    EXPERIMENTS = "experiments"
    """JSON with a list of experiments; a user sees those of this site's boards."""
    FILE = "file"
    """A file of a run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingCall:
    """A call of MLflow as it will be made, and what it reads; with `answer` set, MLflow is not asked."""

    path: str
    method: str = "GET"
    query: Sequence[tuple[str, str]] = ()
    body: Mapping[str, Any] | None = None
    shows: Shows = Shows.DATA
    experiments: frozenset[str] = frozenset()
    experiment_name: str | None = None
    runs: frozenset[str] = frozenset()
    files_of: str | None = None
    answer: Mapping[str, Any] | None = None

    def without_removed(self) -> TrackingCall:
        """The same search without deleted runs: retention and admins remove runs from boards, so from here as well."""
        if self.body is None or "run_view_type" not in self.body:
            return self
        return replace(self, body={**self.body, "run_view_type": "ACTIVE_ONLY"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as it arrived: `path` is decoded and relative to MLflow's address here; `body` is parsed JSON."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Any = None
