"""Measures what hostile runs cost the engine and their neighbours, and what the walls cost an honest run.

    scripts/measure hostile [flood] [neighbour] [walls] [bound] [--rounds 5]

Sides alternate, so that noise affects both; prints medians and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import docker

from core.domain.job import Job
from core.domain.limits import MIB, SMALL
from core.ports.sandbox import SandboxSpec
from runner.engine.container_spec import job_options
from runner.engine.docker_engine import DockerEngine
from runner.engine.output.volume import OutputVolume
from runner.engine.resources import remove
from tests.docker.hostile.processes import engine_processes
from tests.twin_runner import TwinRunner

REPOSITORY = Path(__file__).parent.parent
REFERENCE = """
import json, zlib
total = 0
for i in range(900000): total = zlib.crc32(str(total + i).encode() * 1000)
json.dump({"params": {}, "metrics": {"image_auc": total / 2**32}}, open("/out/metrics.json", "w"))
"""
FLOODS = {
    "lines of 100 bytes": "import os\nline = b'x' * 99 + b'\\n'\nwhile True: os.write(1, line * 600)",
    "empty lines": "import os\nwhile True: os.write(1, b'\\n' * 65536)",
    "no line end": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "a write for each line": "import os\nwhile True: os.write(1, b'x\\n')",
}
NEIGHBOURS = {
    "nobody": "",
    "fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "log flood": FLOODS["lines of 100 bytes"],
    "file churn": "import os\nwhile True:\n    open('/out/f', 'wb').write(bytes(2**20)); os.remove('/out/f')",
    "memory churn": "while True: x = bytearray(2**28)",
    "spinners": "import os\nfor _ in range(8): os.fork()\nwhile True: pass",
}


def engine_cpu_seconds() -> float:
    """User and system time of the inner dockerd; if there are several, of all of them: an upper bound."""
    ticks = 0
    for pid in engine_processes():
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def runner(**limits: float) -> Iterator[TwinRunner[DockerEngine]]:
    """A separate runner on the engine, with the default log limits."""
    site = f"bench{secrets.token_hex(4)}"
    root = Path(os.environ["LEADERSBOARD_TEST_ROOT"]) / "work" / site
    image, seccomp = os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"], (REPOSITORY / "seccomp.json").read_text()
    engine = DockerEngine(os.environ["LEADERSBOARD_TEST_ENGINE"], site=site, image=image, seccomp=seccomp)
    twin = TwinRunner(root, engine, image=image, site=site)
    twin.jobs_per_hour = 10_000
    twin.limits = SMALL.model_copy(update={"memory_bytes": 1024 * MIB, **limits})
    twin.log_limits = {"max_bytes": 256 * MIB, "max_lines": 2_000_000, "kept_bytes": 64 * MIB}
    try:
        yield twin
    finally:
        for job_id, _claim in engine.runs():
            engine.remove_leftovers(job_id)
        engine.close()
        shutil.rmtree(root)


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def flood(_rounds: int) -> None:
    print("| flood | stopped after s | printed MB | engine CPU s | reason |\n|---|---|---|---|---|")
    for name, program in FLOODS.items():
        with runner(cpus=1) as twin:
            before = engine_cpu_seconds()
            ended: list[Job] = []
            seconds = timed(lambda b=twin, p=program, e=ended: e.append(b.run(b.claim(p))))
            cpu, printed = engine_cpu_seconds() - before, ended[0].peaks.get("log_bytes", 0) / 1e6
            print(f"| {name} | {seconds:.1f} | {printed:.0f} | {cpu:.1f} | {ended[0].failure_reason} |")


def neighbour(rounds: int) -> None:
    """Time the reference job on one CPU beside a neighbour whose class takes all other cores, or half a core less."""
    print("| neighbour | its CPUs | median s | min s | ratio |\n|---|---|---|---|---|")
    for cpus in (os.cpu_count() or 2) - 1, (os.cpu_count() or 2) - 1.5:
        samples: dict[str, list[float]] = {name: [] for name in NEIGHBOURS}
        for _round in range(rounds):
            for name, program in NEIGHBOURS.items():
                with beside(program, cpus), runner(cpus=1) as twin:
                    samples[name].append(timed(lambda b=twin: b.run(b.claim(REFERENCE))))
        alone = statistics.median(samples["nobody"])
        for name, seconds in samples.items():
            median = statistics.median(seconds)
            print(f"| {name} | {cpus:g} | {median:.2f} | {min(seconds):.2f} | {median / alone:.2f} |")


@contextmanager
def beside(program: str, cpus: float) -> Iterator[None]:
    """Run this program in a sandbox of its own while the context lasts."""
    if not program:
        yield
        return
    with runner(cpus=cpus, timeout_seconds=600) as twin:
        twin.log_limits = {**twin.log_limits, "max_bytes": 10**12, "max_lines": 10**12}
        claim = twin.claim(program)
        thread = threading.Thread(target=twin.run, args=(claim,))
        thread.start()
        time.sleep(2)
        yield
        twin.ledger.cancel(claim.job_id)
        thread.join()


def walls(rounds: int) -> None:
    """Time PaDiM's whole container: with all options of a job, and by a plain `docker run` of the same image."""
    client = docker.DockerClient(base_url=os.environ["LEADERSBOARD_TEST_ENGINE"], timeout=300)
    samples: dict[str, list[float]] = {"plain `docker run`": [], "as a job": []}
    for number in range(rounds + 1):
        for name, kept in samples.items():
            with padim_place() as place:
                seconds = timed(lambda n=name, p=place: run_padim(client, p, plain=n.startswith("plain")))
            if number:  # the first round warms the page cache
                kept.append(seconds)
    base = statistics.median(samples["plain `docker run`"])
    print("| PaDiM | median s | min s | ratio |\n|---|---|---|---|")
    for name, seconds in samples.items():
        median = statistics.median(seconds)
        print(f"| {name} | {median:.2f} | {min(seconds):.2f} | {median / base:.3f} |")
    client.close()


@contextmanager
def padim_place() -> Iterator[Path]:
    root = Path(os.environ["LEADERSBOARD_TEST_ROOT"]) / "work" / f"bench{secrets.token_hex(4)}"
    for name in ("config", "out"):
        (root / name).mkdir(parents=True)
    shutil.copytree(REPOSITORY / "examples/padim", root / "job")
    shutil.copytree(public_data(), root / "data")
    told = {"device": "cpu", "overrides": {}, "benchmark": {"name": "synthetic", "categories": ["weave"]}}
    (root / "config/job.json").write_text(json.dumps(told))
    (root / "out").chmod(0o777)
    try:
        yield root
    finally:
        shutil.rmtree(root)


def public_data() -> Path:
    """The public data of the test project's benchmark; only root can read it there."""
    outer = docker.from_env()
    volume = outer.volumes.get(f"{os.environ['LEADERSBOARD_TEST_PROJECT']}_benchmarks")
    outer.close()
    return Path(volume.attrs["Mountpoint"]) / "synthetic" / "public"


def spec_of(place: Path) -> SandboxSpec:
    return SandboxSpec(
        site="bench", job_id=place.name, attempt=1, claim="c", user_id="bench", entrypoint="main.py", image="x",
        config_file="config.yaml", limits=SMALL, submission=place / "job", config=place / "config", data=place / "data",
    )  # fmt: skip


def bound(rounds: int) -> None:
    """Time the bounded output of a job that writes nothing: volume and holder are made, read and removed."""
    client = docker.DockerClient(base_url=os.environ["LEADERSBOARD_TEST_ENGINE"], timeout=300)
    image, seccomp = os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"], (REPOSITORY / "seccomp.json").read_text()
    samples: dict[str, list[float]] = {"make": [], "read": [], "remove": [], "all": []}
    for number in range(4 * rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            spec = spec_of(Path(f"bench{secrets.token_hex(4)}"))
            moments = [time.perf_counter()]
            volume = OutputVolume.create(client, spec, image_id=image, seccomp=seccomp)
            moments.append(time.perf_counter())
            volume.harvest(Path(folder))
            moments.append(time.perf_counter())
            remove(volume.holder)
            volume.volume.remove(force=True)
            moments.append(time.perf_counter())
        steps = [later - earlier for earlier, later in pairwise(moments)]
        if number:  # the first round warms up
            for name, seconds in zip(samples, [*steps, sum(steps)], strict=True):
                samples[name].append(seconds)
    print("| bounded output | median s | max s |\n|---|---|---|")
    for name, seconds in samples.items():
        print(f"| {name} | {statistics.median(seconds):.2f} | {max(seconds):.2f} |")
    client.close()


def run_padim(client: docker.DockerClient, place: Path, *, plain: bool) -> None:
    spec, image = spec_of(place), os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
    options = job_options(spec, image_id=image, seccomp=(REPOSITORY / "seccomp.json").read_text(), slot=1)
    mounts = [mount for mount in options["mounts"] if mount["Target"] != "/out"]
    out = docker.types.Mount("/out", str(place / "out"), type="bind")
    if plain:
        options = {name: options[name] for name in ("image", "command", "working_dir", "environment")} | {
            "user": "60001:60001", "shm_size": SMALL.shm_bytes, "nano_cpus": 2 * 10**9, "detach": True,
        }  # fmt: skip
    else:
        options.pop("labels")
    options |= {"mounts": [*mounts, out], "name": f"{place.name}-{secrets.token_hex(2)}"}
    container = client.containers.create(**options)
    container.start()
    status = container.wait()["StatusCode"]
    text = container.logs().decode(errors="replace")[-800:]
    container.remove(force=True)
    if status:
        raise SystemExit(f"PaDiM ended with {status}: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["flood", "neighbour", "walls", "bound"])
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    for name in chosen.what:
        {"flood": flood, "neighbour": neighbour, "walls": walls, "bound": bound}[name](chosen.rounds)


if __name__ == "__main__":
    main()
