"""Tries a submission on this machine: the image, the walls and the judgement of a board, without a board.

    python -m runner.try_here FOLDER BENCHMARK_FOLDER [--whole] [--class medium] [--gpu ID] [--into FOLDER]

Ends with 0 if the run would be ranked, with 1 if not, with 2 if it could not be tried. docs: sandbox_image/README.md
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core.adapters.files.benchmark_folders import InvalidBenchmark, read_benchmark
from core.domain.assessment import assess
from core.domain.benchmark import Benchmark, Scoring
from core.domain.errors import LeadersboardError
from core.domain.hints import TAIL_CHARACTERS
from core.domain.limits import MEDIUM, SMALL, ResourceClass, fit
from core.domain.verdict import RunRecord, Stop, Verdict
from core.ports.sandbox import Sandbox, SandboxSpec, Stream
from core.ports.tracking import system_figures_of
from runner.engine.docker_engine import DockerEngine
from runner.launch_settings import GRACE_SECONDS, LaunchSettings, LogLimits
from runner.own_files import NotTried, copied
from runner.trial_data import TrialData, open_to_runs

CLASSES = {item.name: item for item in (SMALL, MEDIUM)}
SECCOMP = Path(__file__).parent.parent / "seccomp.json"
LOG = LogLimits(max_bytes=256 * 1024**2, max_lines=2_000_000, kept_bytes=64 * 1024**2)
TRIAL_SECONDS = 60


class Printed:
    """RunOutput that passes everything on to this terminal."""

    def __init__(self) -> None:
        self._taken = dict.fromkeys(Stream, 0)
        self.tail = b""

    def output(self, chunk: bytes, stream: Stream) -> None:
        self._taken[stream] += len(chunk)
        self.tail = (self.tail + chunk)[-TAIL_CHARACTERS:]
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    def taken_of(self, stream: Stream) -> int:
        return self._taken[stream]

    def incomplete(self) -> None:
        say("Some of the output was lost.")

    def settle(self) -> None:
        sys.stdout.buffer.flush()


def main(arguments: list[str] | None = None) -> int:
    """Try what the arguments say; returns the exit code."""
    asked = parsed(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="leadersboard-try-", dir=asked.work) as work:
            return _tried(asked, Path(work))
    except InvalidBenchmark as error:
        say(f"Not tried: {asked.benchmark}/benchmark.yaml: {error}")
    except (LeadersboardError, OSError) as error:
        say(f"Not tried: {error}")
    return 2


def say(words: str) -> None:
    """Print a line of ours."""
    sys.stdout.write(f"> {words}\n")
    sys.stdout.flush()


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The arguments, with their defaults."""
    parser = argparse.ArgumentParser(prog="scripts/try-here", description="Try a submission on this machine.")
    parser.add_argument("folder", type=Path, help="the submission")
    parser.add_argument("benchmark", type=Path, help="the folder with benchmark.yaml and the data")
    parser.add_argument("--whole", action="store_true", help="all pictures, with the time of the class")
    parser.add_argument("--class", dest="resource_class", choices=CLASSES, default=SMALL.name)
    parser.add_argument("--entrypoint", default="main.py")
    parser.add_argument("--config", default="config.yaml")
    parser.add_argument("--gpu", help="one device of this machine, by index or UUID")
    parser.add_argument("--into", type=Path, help="keep the run's files in this new folder")
    parser.add_argument("--image", default="leadersboard-sandbox:latest")
    parser.add_argument("--engine", default=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    parser.add_argument("--work", type=Path, help="folder for temporary files, which the engine sees at the same path")
    return parser.parse_args(arguments)


def _tried(asked: argparse.Namespace, work: Path) -> int:
    benchmark = read_benchmark(asked.benchmark / "benchmark.yaml")
    submission = copied(asked.folder, work / "submission", entrypoint=asked.entrypoint)
    if (submission / "requirements.txt").exists():
        say("requirements.txt is not installed here: the run has what the image has.")
    with opened(asked) as engine:
        limits, lowered = fit(CLASSES[asked.resource_class], engine.capacity())
        settings = LaunchSettings(limits=limits, image=asked.image, log=LOG, scoring=benchmark.scoring)
        settings = settings if asked.whole else settings.for_trial(TRIAL_SECONDS)
        for notice in lowered:
            say(notice)
        spec = _spec(asked, benchmark, settings.limits, submission)
        record = _run(engine, spec, work / "out")
    verdict = settings.verdict(record)
    if asked.into is not None:
        shutil.copytree(work / "out", asked.into)
        say(f"The files of the run are in {asked.into}.")
    return _judged(verdict, benchmark, record)


@contextmanager
def opened(asked: argparse.Namespace) -> Iterator[DockerEngine]:
    """The engine of this machine. Raises NotTried, Unavailable."""
    if not Path(asked.engine.removeprefix("unix://")).is_socket():
        raise NotTried(f"There is no Docker engine at {asked.engine}. Start Docker, or name its socket with --engine.")
    engine = DockerEngine(
        asked.engine, site=f"try-here-{secrets.token_hex(4)}", image=asked.image, seccomp=SECCOMP.read_text()
    )
    try:
        engine.check()
        yield engine
    finally:
        engine.close()


def _spec(asked: argparse.Namespace, benchmark: Benchmark, limits: ResourceClass, submission: Path) -> SandboxSpec:
    work = submission.parent
    data, categories = (asked.benchmark / benchmark.data).resolve(), benchmark.categories
    if not data.is_dir():
        raise NotTried(f"{data} is not there. The data of the benchmark belongs there.")
    if not asked.whole:
        few = TrialData(job_root=work).of(benchmark, data)
        data, categories = few.path, few.categories
        say(f"{few.files} of {few.files_of_all} files of {', '.join(categories) or benchmark.name}")
    spec = SandboxSpec(
        site="try-here", job_id=secrets.token_hex(16), attempt=1, claim=secrets.token_hex(4), user_id="you",
        entrypoint=asked.entrypoint, config_file=asked.config, limits=limits, image=asked.image,
        submission=submission, config=work / "config", data=data, gpu=asked.gpu,
    )  # fmt: skip
    spec.config.mkdir()
    content = {
        "job_id": spec.job_id,
        "benchmark": {"name": benchmark.name, "categories": list(categories)},
        "overrides": {},
        "device": "gpu" if asked.gpu else "cpu",
        "resource_class": limits.name,
        **({} if asked.whole else {"trial": True}),
    }
    (spec.config / "job.json").write_text(json.dumps(content, indent=2))
    for folder in (submission, spec.config):
        open_to_runs(folder)
    return spec


def _run(engine: DockerEngine, spec: SandboxSpec, out: Path) -> RunRecord:
    """The run to its end, with its files in `out`; nothing of it stays in the engine."""
    out.mkdir()
    began = time.monotonic()
    printed = Printed()
    sandbox = engine.launch(spec, printed)
    try:
        stopped = _watched(sandbox, began, spec.limits.timeout_seconds)
        state = sandbox.state()
        record = RunRecord(
            exit_code=-1 if state.exit_code is None else state.exit_code,
            out_of_memory=state.out_of_memory,
            stopped=stopped,
            wall_seconds=state.ran_seconds or time.monotonic() - began,
            metrics=None,
            peaks=sandbox.peaks(),
        )
        found = sandbox.harvest(out)
    finally:
        sandbox.remove()
    if found.metrics is not None:
        (out / "metrics.json").write_bytes(found.metrics)
    for notice in found.notices:
        say(notice)
    peaks = {**record.peaks, "output_bytes": found.output_bytes, "output_files": found.output_files}
    return replace(
        record, metrics=found.metrics, metrics_problem=found.metrics_problem, output_full=found.output_full,
        metrics_elsewhere=found.metrics_elsewhere, peaks=peaks, last_words=printed.tail.decode(errors="replace"),
    )  # fmt: skip


def _watched(sandbox: Sandbox, began: float, seconds: float) -> Stop | None:
    """Waits for the end of the program, or ends it when its time is over."""
    while not sandbox.state().ended:
        sandbox.peaks()
        if time.monotonic() - began > seconds:
            sandbox.stop(grace_seconds=GRACE_SECONDS[Stop.TIMEOUT])
            return Stop.TIMEOUT
        sandbox.await_output_end(0.2)
    return None


def _judged(verdict: Verdict, benchmark: Benchmark, record: RunRecord) -> int:
    if verdict.metrics is None:
        say(f"Failed ({verdict.reason}): {verdict.message}")
        return 1
    if benchmark.scoring is Scoring.VERIFIED:
        say(f"{benchmark.name} is scored by the platform, with labels that are not here: see what is in predictions/.")
        return 0
    found = assess(verdict.metrics, benchmark, figures=system_figures_of(verdict.metrics, record.peaks))
    for name in sorted(found.metrics.metrics):
        say(f"{name} = {found.metrics.metrics[name]:g}")
    for note in found.notes:
        say(note)
    if found.unranked_because is not None:
        say(f"Would not be ranked on {benchmark.name}: {found.unranked_because}.")
        return 1
    value = found.metrics.metrics.get(benchmark.primary_metric)
    say(
        f"Would be ranked on {benchmark.name}"
        + ("." if value is None else f" with {benchmark.primary_metric} {value:g}.")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
