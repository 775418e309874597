"""Notices for admins: unusable folders, hindered or silent runners, clocks, old engines, broken benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.domain.clocks import told
from core.domain.errors import Unavailable
from core.domain.runners import HostReport, OldPart, RunnerState, SeenHost, SeenRunner
from core.wiring import Ports
from gateway.schemas.admin import NoticeView

ADVICE = {
    RunnerState.REFUSED: "Mend what its reason says, then have it probe again (POST /admin/runners/{runner}/canary).",
    RunnerState.DISK_LOW: "Make room; it goes on by itself.",
    RunnerState.NO_STORAGE: "Mend the storage; it goes on by itself.",
    RunnerState.NO_ENGINE: "Look at the engine; it goes on by itself.",
    RunnerState.SILENT: "Look at its process.",
}
"""Advice for each state that no admin asked for."""
OLD_REFUSED = (
    "No job is begun on this host. Update its engine, bring another one (ENGINE_IMAGE), or, where your distribution "
    "has the fixes under this number, set ALLOW_OLD_ENGINE=true."
)
OLD_ACCEPTED = (
    "Jobs are taken all the same, because ALLOW_OLD_ENGINE=true. Update this host's engine or bring another one "
    "(ENGINE_IMAGE), then remove that setting."
)
ONE_TIME_SERVER = "Set the clocks of all machines by one time server."
BENCHMARK_ADVICE = (
    "'leadersboard benchmarks --check' (GET /benchmarks/check?benchmark={name}) names each fault with its line; mend "
    "them, and it is back."
)
MOST = 50


def notices(ports: Ports, seen: Sequence[SeenRunner], hosts: Sequence[SeenHost]) -> list[NoticeView]:
    """All current notices, at most `MOST`."""
    found = (
        *_of_folders(ports),
        *_of_runners(seen),
        *_of_hosts(hosts),
        *_of_clocks(ports, seen),
        *_of_engines(hosts),
        *_of_benchmarks(ports),
    )
    return list(found)[:MOST]


def _of_folders(ports: Ports) -> Iterator[NoticeView]:
    advice = "Mend the storage; uploads go on by themselves."
    for state in ports.folders.states():
        if state.fault:
            yield NoticeView(kind="storage", text=f"The gateway cannot use {state.words}", advice=advice)


def _of_runners(seen: Sequence[SeenRunner]) -> Iterator[NoticeView]:
    for one in seen:
        if one.state in ADVICE:
            text = f"Runner {one.report.name} takes no jobs: {one.reason or one.state}"
            yield NoticeView(kind="runner", host=one.report.host, text=text, advice=ADVICE[one.state])


def _of_hosts(hosts: Sequence[SeenHost]) -> Iterator[NoticeView]:
    advice = "Look at the machine and its runners."
    for one in hosts:
        if one.is_silent:
            text = f"No runner of this host has reported for {int(one.silent_seconds)} s."
            yield NoticeView(kind="host", host=one.report.host, text=text, advice=advice)


def _of_clocks(ports: Ports, seen: Sequence[SeenRunner]) -> Iterator[NoticeView]:
    hosts = {one.report.host: one.report.clock_skew_seconds or 0.0 for one in seen if not one.is_silent}
    for host, skew in {"": ports.job_status.clock_skew(), **hosts}.items():
        if words := told(skew):
            text = f"The clock of {'this host' if host else 'the gateway'} is {words} (Redis)."
            yield NoticeView(kind="clock", host=host, text=text, advice=ONE_TIME_SERVER, takes_jobs=True)


def _of_engines(hosts: Sequence[SeenHost]) -> Iterator[NoticeView]:
    for one in hosts:
        if not one.is_silent:
            for old in one.report.old:
                yield _old_engine(one.report, old)


def _of_benchmarks(ports: Ports) -> Iterator[NoticeView]:
    try:
        broken = ports.benchmarks.broken()
    except Unavailable:  # their folder is away
        return
    for name in broken:
        text = (
            f"Benchmark {name[:80]!r} is broken: its benchmark.yaml is refused, so it is not listed and takes no job."
        )
        yield NoticeView(kind="benchmark", text=text, advice=BENCHMARK_ADVICE.format(name=name[:80]), takes_jobs=True)


def _old_engine(report: HostReport, old: OldPart) -> NoticeView:
    allowed = report.old_engine_allowed
    return NoticeView(
        kind="old_engine",
        host=report.host,
        text=old.sentence,
        advice=OLD_ACCEPTED if allowed else OLD_REFUSED,
        takes_jobs=allowed,
        part=old.part,
        version=old.version,
        floor=old.floor,
    )
