"""What an admin should look at now: unusable folders, runners that are hindered or silent, clocks that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.domain.clocks import told
from core.domain.runners import RunnerState, SeenHost, SeenRunner
from core.wiring import Ports

HINDERED = frozenset(
    {RunnerState.REFUSED, RunnerState.DISK_LOW, RunnerState.NO_STORAGE, RunnerState.NO_ENGINE, RunnerState.SILENT}
)
"""States that an admin did not wish for."""
MOST = 50


def notices(ports: Ports, seen: Sequence[SeenRunner], hosts: Sequence[SeenHost]) -> list[str]:
    """One sentence for each thing, at most `MOST`."""
    return [*_of_folders(ports), *_of_runners(seen), *_of_hosts(hosts), *_of_clocks(ports, seen)][:MOST]


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


def _of_clocks(ports: Ports, seen: Sequence[SeenRunner]) -> Iterator[str]:
    if words := told(ports.job_status.clock_skew()):
        yield f"The gateway's clock is {words} (Redis). Set them by one time server."
    hosts = {one.report.host: one.report.clock_skew_seconds or 0.0 for one in seen if not one.is_silent}
    for host, skew in hosts.items():
        if words := told(skew):
            yield f"The clock of host {host} is {words} (Redis). Set them by one time server."
