"""What an admin should look at now: folders that cannot be used, runners that are hindered or silent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.domain.runners import RunnerState, SeenHost, SeenRunner
from core.wiring import Ports

HINDERED = frozenset(
    {RunnerState.REFUSED, RunnerState.DISK_LOW, RunnerState.NO_STORAGE, RunnerState.NO_ENGINE, RunnerState.SILENT}
)
"""States that an admin did not wish for."""
MOST = 50


def notices(ports: Ports, seen: Sequence[SeenRunner], hosts: Sequence[SeenHost]) -> list[str]:
    """One sentence for each thing, at most `MOST`."""
    return [*_of_folders(ports), *_of_runners(seen), *_of_hosts(hosts)][:MOST]


def _of_folders(ports: Ports) -> Iterator[str]:
    for state in ports.folders.states():
        if state.fault:
            yield f"The gateway cannot use {state.words}"


def _of_runners(seen: Sequence[SeenRunner]) -> Iterator[str]:
    for one in seen:
        if one.state in HINDERED:
            yield f"Runner {one.report.name} on host {one.report.host} takes no jobs: {one.reason or one.state}"


def _of_hosts(hosts: Sequence[SeenHost]) -> Iterator[str]:
    for one in hosts:
        if one.is_silent:
            yield f"No runner of host {one.report.host} has reported for {int(one.silent_seconds)} s."
