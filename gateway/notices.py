"""What an admin should look at now: folders that cannot be used, runners that are hindered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.domain.runners import RunnerState, SeenRunner
from core.wiring import Ports

HINDERED = frozenset({RunnerState.REFUSED, RunnerState.DISK_LOW, RunnerState.NO_STORAGE, RunnerState.NO_ENGINE})
"""States that an admin did not wish for."""
MOST = 50


def notices(ports: Ports, seen: Sequence[SeenRunner]) -> list[str]:
    """One sentence for each thing, at most `MOST`."""
    return [*_of_folders(ports), *_of_runners(seen)][:MOST]


def _of_folders(ports: Ports) -> Iterator[str]:
    for state in ports.folders.states():
        if state.fault:
            yield f"The gateway cannot use {state.words}"


def _of_runners(seen: Sequence[SeenRunner]) -> Iterator[str]:
    for one in seen:
        report = one.report
        if report.state in HINDERED and not one.is_silent:
            yield f"Runner {report.name} on host {report.host} takes no jobs: {report.reason or report.state}"
