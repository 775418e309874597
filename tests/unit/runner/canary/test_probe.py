"""What the canary asks of an engine, and what it makes of the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.canary import CanaryReport
from core.domain.errors import Unavailable
from core.domain.limits import SMALL
from core.domain.weights import Weights, WeightsKind
from core.ports.sandbox import CpuUse, RunOutput, SandboxSpec, SandboxState, Stream
from runner.canary.printed import LONGEST_LINE, MOST_PRINTED, Printed
from runner.canary.probe import Canary
from tests.twins.weights import MemoryWeights
from tests.unit.runner.canary.findings import HOLDING, LOW, STOPPED

pytestmark = pytest.mark.unit


USE = CpuUse(at_seconds=1.0, used_seconds=0.2, periods=3)


@dataclass
class ScriptedEngine:
    """Prints what each kind of probe would; `away` answers nothing."""

    says: dict[str, dict[str, Any]]
    out_of_memory: bool = True
    away: bool = False
    code: int = 0
    errors: bytes = b""
    cpu: CpuUse | None = USE
    looks: int = 0
    launched: list[SandboxSpec] = field(default_factory=list)

    def launch(self, spec: SandboxSpec, output: RunOutput) -> Any:
        if self.away:
            raise Unavailable("The engine", "it is away")
        self.launched.append(spec)
        for check, found in self.says[spec.config_file].items():
            output.output(json.dumps({"check": check, "found": found}).encode() + b"\nnoise {\n", Stream.STDOUT)
        output.output(self.errors or b'{"check": "network", "found": []}\n', Stream.STDERR)
        return self

    def state(self) -> SandboxState:
        self.looks += 1
        ended = self.looks % 3 == 0
        code = self.code if self.launched[-1].config_file == "walls" else 137
        return SandboxState(exit_code=code if ended else None, out_of_memory=self.out_of_memory)

    def cpu_use(self) -> CpuUse | None:
        return self.cpu

    def await_output_end(self, _seconds: float) -> bool:
        return True

    def remove(self, *, failed: bool = False) -> None:
        self.launched[-1:] = [self.launched[-1]]


LIMITS = {name: found for name, found in STOPPED.items() if name not in {"cpu", "memory"}}
LIMITS |= {"cpu, tried": "done", "memory, tried": "begun"}


def probe(engine: Any, folder: Path) -> CanaryReport:
    return Canary(engine=engine, resource_classes=[SMALL], image="i", site="s", folder=folder)()


def test_each_class_is_probed_with_its_own_limits_and_as_no_job(tmp_path: Path) -> None:
    engine = ScriptedEngine({"walls": HOLDING, "limits": LIMITS})
    report = probe(engine, tmp_path)
    assert (report.ok, report.refusal, len(report.rows)) == (True, None, 1 + len(HOLDING) + len(STOPPED))
    assert [spec.limits for spec in engine.launched] == [SMALL, LOW]
    assert {spec.role for spec in engine.launched} == {"canary"}
    assert (tmp_path / "program" / "canary_walls.py").read_text().startswith('"""')
    assert json.loads((tmp_path / "config" / "bounds.json").read_text())["pids"] == LOW.pids


def test_each_class_is_probed_in_its_own_image(tmp_path: Path) -> None:
    own = SMALL.model_copy(update={"name": "own", "image": "mine:2"})
    engine: Any = ScriptedEngine({"walls": HOLDING, "limits": LIMITS})
    Canary(engine=engine, resource_classes=[SMALL, own], image="site:1", site="s", folder=tmp_path)()
    assert [spec.image for spec in engine.launched] == ["site:1", "mine:2", "site:1"]


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


@pytest.mark.parametrize("cpu", [None, replace(USE, periods=0)])
def test_a_cpu_limit_is_judged_by_the_kernels_count_alone(tmp_path: Path, cpu: CpuUse | None) -> None:
    """A probe cannot say so itself, and a count that the engine does not tell proves nothing."""
    engine = ScriptedEngine({"walls": HOLDING, "limits": LIMITS | {"cpu": STOPPED["cpu"]}}, cpu=cpu)
    assert [row.check for row in probe(engine, tmp_path).red] == ["cpu"]


def test_an_engine_that_cannot_run_it_is_red(tmp_path: Path) -> None:
    report = probe(ScriptedEngine({}, away=True), tmp_path)
    assert (report.ok, [row.check for row in report.rows]) == (False, ["probe", "probe"])
    assert [row.resource_class for row in report.rows] == ["small", "small, lowered"]
    assert "away" in str(report.refusal)


def test_an_image_that_runs_no_program_of_ours_is_told_in_one_row(tmp_path: Path) -> None:
    """Not twenty rows that say that nothing was found: its own last words, and safe to show."""
    engine = ScriptedEngine({"walls": {}, "limits": LIMITS}, code=127, errors=b"noise\nsh: exec: python: \x1b[2J\n\n")
    (row,) = probe(engine, tmp_path).red
    assert (row.check, row.found) == ("start", "exit code 127: sh: exec: python: ‹U+001B›[2J")


def test_a_probe_that_fails_after_its_last_finding_is_red(tmp_path: Path) -> None:
    report = probe(ScriptedEngine({"walls": HOLDING, "limits": LIMITS}, code=1), tmp_path)
    assert [(row.check, row.found) for row in report.red] == [
        ("start", 'exit code 1: {"check": "network", "found": []}')
    ]


def test_what_a_probe_prints_is_bounded() -> None:
    printed = Printed()
    for _ in range(100):
        printed.output(b"x" * 65536, Stream.STDOUT)
    assert len(printed.held) <= MOST_PRINTED + 65536
    printed.output(b"y" * 65536, Stream.STDERR)
    assert printed.findings() == {}
    assert printed.last_error() == "y" * LONGEST_LINE


@pytest.mark.parametrize("held", [True, False])
def test_a_probe_finds_the_sites_weights_as_a_run_would(tmp_path: Path, *, held: bool) -> None:
    """FLD-6: so an engine that cannot mount them is red before a job is lost on it."""
    engine = ScriptedEngine({"walls": HOLDING, "limits": LIMITS})
    one = Weights(name="w", kind=WeightsKind.PLAIN, path="w", size_bytes=1)
    weights = MemoryWeights(held=[one] if held else [])
    Canary(engine=engine, resource_classes=[SMALL], image="i", site="s", folder=tmp_path, weights=weights)()
    assert {spec.weights for spec in engine.launched} == {weights.root if held else None}
