"""The port that reads the tracking server's pages and API answers on behalf of signed-in users."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from core.domain.tracking_call import TrackingCall


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingAnswer:
    """An answer of the tracking server; `pieces` can be read once, while the call is open."""

    status: int
    media_type: str
    pieces: Iterator[bytes]
    size_bytes: int | None = None
    """None if the server does not send it."""


class TrackingReadsPort(Protocol):
    """All methods raise Unavailable if the server does not answer."""

    def experiments(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """The server's data on those of these experiments that exist, by name; `experiment_id` is text."""
        ...

    def runs(self, run_ids: Collection[str], experiment_ids: Collection[str]) -> Mapping[str, str | None]:
        """Those of these runs that are in these experiments and not removed, each with the job that its tag names.

        The tag is only a hint: every client that may write to the server can set it.
        """
        ...

    def read(self, call: TrackingCall) -> AbstractContextManager[TrackingAnswer]:
        """The answer to a call, whatever its status, for as long as the context lasts."""
        ...
