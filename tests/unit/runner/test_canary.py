"""The canary's judgement without an engine: a wall that does not hold is red, and red refuses jobs (BOX-12)."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.domain.canary import CanaryReport, CanaryRow
from core.domain.errors import Unavailable
from core.domain.limits import SMALL
from core.ports.sandbox import RunOutput, SandboxSpec, SandboxState, Stream
from runner.canary import scheduler
from runner.canary.checks import limit_rules, rows, wall_rules
from runner.canary.command import table
from runner.canary.probe import MOST_PRINTED, Canary, Printed, lower
from runner.canary.scheduler import CanaryScheduler
from runner.engine.advisories import old_parts, refusal
from runner.worker.availability import Availability
from runner.worker.report import HostFacts
from tests.twins.runners import MemoryRunners

pytestmark = pytest.mark.unit

LOW = lower(SMALL)
HOLDING: dict[str, Any] = {
    "network": ["lo"], "way out": "ENETUNREACH", "read-only": dict.fromkeys(["/", "/etc", "/job", "/config"], "EROFS"),
    "user": [60007] * 5, "capabilities": ["0" * 16], "filter": ["2", "1"], "system calls": {}, "hidden": [],
    "locked": {"/proc/sys/vm/drop_caches": "EACCES"},
    "cgroup": {"memory": "4294967296", "swap": "4294967296", "pids": "512", "cpu": "200000"},
    "ulimits": [SMALL.output_bytes, 4096, 0],
    "sizes": {"/out": [SMALL.output_bytes, 20_000], "/tmp": [SMALL.tmp_bytes, 100_000], "/dev/shm": [2**30, 77]},
    "mounts": ["/", "/config", "/job", "/out", "/proc", "/tmp"], "devices": ["null", "zero"],
    "environment": ["HOME", "PATH"], "neighbours": [2, "docker-init"], "shared memory": [],
    "identity": ["job", "/dev/null", "/job"], "oom score": 500,
}  # fmt: skip
BROKEN: list[tuple[str, Any]] = [
    ("network", ["lo", "eth0"]), ("way out", ""), ("way out", "ECONNREFUSED"),
    ("read-only", HOLDING["read-only"] | {"/etc": ""}), ("read-only", {}),
    ("read-only", HOLDING["read-only"] | {"/": "EACCES, but it is mounted for writing"}),
    ("user", [0] * 5), ("user", [60007, 60007, 60007, 60007, 999]), ("capabilities", ["00000000a80425fb"]),
    ("filter", ["0", "1"]), ("filter", ["2", "0"]), ("system calls", {"ptrace": "0"}), ("hidden", ["/proc/keys"]),
    ("locked", {"/proc/sysrq-trigger": ""}), ("cgroup", HOLDING["cgroup"] | {"pids": "max"}),
    ("cgroup", HOLDING["cgroup"] | {"memory": "9223372036854771712"}), ("cgroup", HOLDING["cgroup"] | {"cpu": "-1"}),
    ("cgroup", HOLDING["cgroup"] | {"swap": "max"}), ("cgroup", dict.fromkeys(HOLDING["cgroup"], "not told")),
    ("ulimits", [-1, 4096, 0]), ("ulimits", [SMALL.output_bytes, 4096, -1]),
    ("sizes", HOLDING["sizes"] | {"/out": [2**40, 20_000]}), ("sizes", HOLDING["sizes"] | {"/out": [2**29, 0]}),
    ("sizes", HOLDING["sizes"] | {"/dev/shm": [2**26, 77]}), ("mounts", [*HOLDING["mounts"], "/shared"]),
    ("mounts", ["/"]), ("devices", ["null", "sda"]), ("environment", ["PATH", "API_TOKENS"]),
    ("neighbours", [40, "docker-init"]), ("neighbours", [2, "python"]), ("shared memory", ["left.bin"]),
    ("identity", ["3f2a", "/dev/null", "/job"]), ("oom score", 0), ("filter", "nonsense"), ("sizes", None),
]  # fmt: skip
STOPPED: dict[str, Any] = {
    "cpu": 0.51, "bytes in /out": LOW.output_bytes, "bytes in /tmp": LOW.tmp_bytes, "bytes in /dev/shm": LOW.shm_bytes,
    "files in /out": 63, "largest file": "EFBIG", "descriptors": 4093, "threads": 126,
    "processes": 126, "memory": "ended",
}  # fmt: skip
UNSTOPPED: list[tuple[str, Any]] = [
    ("cpu", 1.6), ("bytes in /out", 4 * LOW.output_bytes), ("bytes in /tmp", 4 * LOW.tmp_bytes), ("files in /out", 256),
    ("bytes in /dev/shm", 4 * LOW.shm_bytes), ("largest file", "larger than allowed"), ("descriptors", 100_000),
    ("threads", 2 * LOW.pids),
    ("processes", 256), ("memory", 2 * LOW.memory_bytes), ("memory", "gone, and not for its memory"), ("cpu", 0),
]  # fmt: skip


def red(found: Mapping[str, Any], runtime: str = "runc") -> list[str]:
    return [row.check for row in rows(wall_rules(SMALL, runtime), found, "small") if not row.ok]


def red_limits(found: Mapping[str, Any], runtime: str = "runc") -> list[str]:
    return [row.check for row in rows(limit_rules(LOW, runtime), found, "small") if not row.ok]


def test_walls_that_hold_are_green() -> None:
    assert (red(HOLDING), red_limits(STOPPED)) == ([], [])


@pytest.mark.parametrize(("check", "found"), BROKEN)
def test_a_wall_that_does_not_hold_is_red(check: str, found: object) -> None:
    assert red(HOLDING | {check: found}) == [check]


@pytest.mark.parametrize(("check", "found"), UNSTOPPED)
def test_a_limit_that_does_not_bind_is_red(check: str, found: object) -> None:
    assert red_limits(STOPPED | {check: found}) == [check]


@pytest.mark.parametrize("check", HOLDING)
def test_what_was_not_found_out_is_red(check: str) -> None:
    """A probe that ends early has proved nothing."""
    assert red({name: found for name, found in HOLDING.items() if name != check}) == [check]


def test_gvisor_tells_otherwise_and_is_judged_by_trying() -> None:
    """BOX-8: its figures are its own; a run that its own limit ended is bounded, and one that none ended is not."""
    own = HOLDING | {
        "cgroup": {}, "oom score": 0, "capabilities": ["0" * 16, "not told"], "filter": ["2", "not told"],
        "devices": ["fuse", "net", "null"], "identity": ["job", "host:[1]", "/job"],
        "sizes": HOLDING["sizes"] | {"/tmp": [SMALL.tmp_bytes, 0]},
    }  # fmt: skip
    assert red(own, "runsc") == []
    assert len(red(own)) == 7
    assert red(own | {"filter": ["0", "not told"], "network": ["lo", "eth0"]}, "runsc") == ["network", "filter"]
    assert red_limits(STOPPED | {"processes": "ended", "cpu": 0.9}, "runsc") == []
    unbound = {"processes": 256, "cpu": 1.9, "memory": 2 * LOW.memory_bytes}
    assert red_limits(STOPPED | unbound, "runsc") == ["cpu", "processes", "memory"]


@dataclass
class ScriptedEngine:
    """Prints what each kind of probe would; `away` answers nothing."""

    says: dict[str, dict[str, Any]]
    out_of_memory: bool = True
    away: bool = False
    launched: list[SandboxSpec] = field(default_factory=list)

    def launch(self, spec: SandboxSpec, output: RunOutput) -> Any:
        if self.away:
            raise Unavailable("The engine", "it is away")
        self.launched.append(spec)
        for check, found in self.says[spec.config_file].items():
            output.output(json.dumps({"check": check, "found": found}).encode() + b"\nnoise {\n", Stream.STDOUT)
        output.output(b'{"check": "network", "found": []}\n', Stream.STDERR)
        return self

    def state(self) -> SandboxState:
        return SandboxState(exit_code=137, out_of_memory=self.out_of_memory)

    def await_output_end(self, _seconds: float) -> bool:
        return True

    def remove(self, *, failed: bool = False) -> None:
        self.launched[-1:] = [self.launched[-1]]


LIMITS = {name: found for name, found in STOPPED.items() if name != "memory"} | {"memory, tried": "begun"}


def probe(engine: Any, folder: Path) -> CanaryReport:
    return Canary(engine=engine, resource_classes=[SMALL], image="i", site="s", folder=folder)()


def test_each_class_is_probed_with_its_own_limits_and_as_no_job(tmp_path: Path) -> None:
    engine = ScriptedEngine({"walls": HOLDING, "limits": LIMITS})
    report = probe(engine, tmp_path)
    assert (report.ok, report.refusal, len(report.rows)) == (True, None, len(HOLDING) + len(STOPPED))
    assert [spec.limits for spec in engine.launched] == [SMALL, LOW]
    assert {spec.role for spec in engine.launched} == {"canary"}
    assert (tmp_path / "program" / "canary_walls.py").read_text().startswith('"""')
    assert json.loads((tmp_path / "config" / "bounds.json").read_text())["pids"] == LOW.pids


def test_a_probe_that_outlives_its_memory_is_red(tmp_path: Path) -> None:
    engine = ScriptedEngine({"walls": HOLDING, "limits": LIMITS}, out_of_memory=False)
    assert [row.check for row in probe(engine, tmp_path).red] == ["memory"]


def test_a_probe_that_its_processes_ended_is_run_again_for_its_memory(tmp_path: Path) -> None:
    """As gVisor does: what bounds it ends the whole run."""
    cut = {name: found for name, found in LIMITS.items() if name not in {"processes", "memory, tried"}}
    engine = ScriptedEngine({"walls": HOLDING, "limits": cut | {"processes, tried": "begun"},
                             "memory": {"memory, tried": "begun"}})  # fmt: skip
    assert probe(engine, tmp_path).ok
    assert [spec.config_file for spec in engine.launched] == ["walls", "limits", "memory"]


def test_an_engine_that_cannot_run_it_is_red(tmp_path: Path) -> None:
    report = probe(ScriptedEngine({}, away=True), tmp_path)
    assert (report.ok, [row.check for row in report.rows]) == (False, ["probe"])
    assert "away" in str(report.refusal)


def row(*, ok: bool, check: str = "network") -> CanaryRow:
    return CanaryRow(check=check, resource_class="small", expected="lo", found="lo eth0", ok=ok)


def report_of(*found: CanaryRow) -> CanaryReport:
    return CanaryReport(at=datetime.now(UTC), seconds=1.0, rows=found)


@dataclass
class Scheduled:
    """A scheduler whose canary says what the test wants."""

    says: list[CanaryReport | Exception]
    rung: int = 0
    availability: Availability = field(init=False)
    facts: HostFacts = field(default_factory=HostFacts)
    runners: MemoryRunners = field(default_factory=MemoryRunners)

    def __post_init__(self) -> None:
        self.availability = Availability(name="a:1", host="h", runners=self.runners, check_engine=lambda: None,
                                         folders=list, min_free_bytes=0, draining=threading.Event())  # fmt: skip
        self.scheduler = CanaryScheduler(
            canary=self._next, availability=self.availability, facts=self.facts, runners=self.runners, ring=self._ring
        )

    def _next(self) -> CanaryReport:
        answer = self.says.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ring(self) -> None:
        self.rung += 1
        raise Unavailable("Redis", "it is away")  # must not matter: the sweeper rings, too


def test_no_job_is_begun_before_the_walls_are_known_to_hold() -> None:
    scheduled = Scheduled([report_of(row(ok=True))])
    assert not scheduled.availability.takes_new()
    scheduled.scheduler.probe()
    assert (scheduled.availability.takes_new(), scheduled.rung) == (True, 1)
    assert (scheduled.facts.canary or {})["ok"] is True


def test_a_red_row_refuses_jobs_until_it_is_green_and_says_why() -> None:
    """BOX-12: in the words that admins see in the runner's report."""
    found = [report_of(row(ok=True)), report_of(row(ok=False)), RuntimeError("odd"), report_of(row(ok=True))]
    scheduled = Scheduled(list(found))
    scheduled.scheduler.probe()
    scheduled.scheduler.probe()
    assert "small: network: expected lo, found lo eth0" in str(scheduled.availability.state()[1])
    assert (scheduled.facts.canary or {})["rows"][0]["ok"] is False
    scheduled.scheduler.probe()
    assert "RuntimeError" in str(scheduled.availability.refusal)
    scheduled.scheduler.probe()
    assert (scheduled.availability.takes_new(), scheduled.rung) == (True, 2)


def test_it_is_asked_at_the_start_and_when_an_admin_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.01)
    scheduled = Scheduled([report_of(row(ok=True)) for _ in range(2)])
    ended = threading.Event()
    thread = threading.Thread(target=scheduled.scheduler.run, args=(ended,))
    thread.start()
    while len(scheduled.says) == 2 or scheduled.availability.refusal:
        ended.wait(0.01)
    ended.wait(0.1)
    assert len(scheduled.says) == 1  # the hour is not over
    scheduled.runners.ask_canary("h")
    while scheduled.says:
        ended.wait(0.01)
    ended.set()
    thread.join()


def test_many_red_rows_are_told_in_few_words() -> None:
    report = report_of(*(row(ok=False, check=f"c{number}") for number in range(9)), row(ok=True))
    assert "and 6 more" in str(report.refusal)
    assert "9 of 10 do not hold" in table(report)
    assert table(report_of(row(ok=True))).splitlines()[0].startswith("ok ")
    assert not report_of().ok


def test_what_a_probe_prints_is_bounded() -> None:
    printed = Printed()
    for _ in range(100):
        printed.output(b"x" * 65536, Stream.STDOUT)
    assert len(printed.held) <= MOST_PRINTED + 65536
    assert printed.findings() == {}


@pytest.mark.parametrize(
    ("versions", "old"),
    [
        ({"Engine": "29.5.1", "runc": "1.3.6"}, []), ({"Engine": "29.6.0-rc.1", "runc": "v1.4.0"}, []),
        ({"Engine": "26.1.5+dfsg1", "runc": "1.1.15+ds1"}, ["Engine", "runc"]), ({}, ["Engine", "runc"]),
        ({"Engine": "29.5", "runc": "odd"}, ["Engine", "runc"]), ({"Engine": "30", "runc": "1.3.6+ds1-1"}, []),
        ({"Engine": "29.5.1-rc.1", "runc": "1.3.6~rc2"}, ["Engine", "runc"]), ({"Engine": "29.5.1~ds1"}, ["runc"]),
        ({"Engine": "dev", "runc": ""}, ["Engine", "runc"]), ({"Engine": "master-1a2b3c", "runc": "1.10"}, ["Engine"]),
        ({"Podman Engine": "99", "crun": "99"}, ["Engine", "runc"]), ({"Engine": "v29.5.1", "runc": "١.٣.٦"}, ["runc"]),
    ],
)  # fmt: skip
def test_an_old_engine_is_told_with_the_reason(versions: dict[str, str], old: list[str]) -> None:
    """By upstream's numbers; what the engine does not tell, or has no number, or comes before a release, is old."""
    found = old_parts(versions)
    assert [one.part for one in found] == old
    assert all("CVE-" in one.sentence and len(one.sentence) <= 300 for one in found)
    assert (refusal(found) is None) == (not old)
