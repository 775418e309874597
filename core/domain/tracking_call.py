"""A call of MLflow: what was asked, and what was understood of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Shows(StrEnum):
    """What an answer is."""

    PAGE = "page"
    """The page of MLflow's UI."""
    PART = "part"
    """A script, style sheet or picture of that page, which never changes under its name."""
    DATA = "data"
    """JSON."""
    EXPERIMENTS = "experiments"
    """JSON with a list of experiments, of which a user sees those of this site's boards."""
    FILE = "file"
    """A file that a run left behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingCall:
    """A call of MLflow as it will be made, and what it reads; `answer` is known without asking MLflow."""

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
        """The same search among what is not removed: retention and admins take runs off boards, from here as well."""
        if self.body is None or "run_view_type" not in self.body:
            return self
        return replace(self, body={**self.body, "run_view_type": "ACTIVE_ONLY"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as it arrived: `path` decoded, below the place where MLflow is passed on; `body` parsed JSON."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Any = None
