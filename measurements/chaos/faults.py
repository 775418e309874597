"""The faults of a chaos run. When a fault's function returns, the fault is over or the service is starting again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from measurements.chaos.limits import LENIENT, STRICT
from measurements.chaos.stage import RUNNERS, Stage
from tests.docker.dying_runner import BESIDE
from tests.docker.runner_site import kill_group
from tests.docker.small_disk import SmallDisk

INSTALLS = ("way to the index", "installer")
"""Steps that only a job with requirements reaches."""
PROBES = tuple(step for step in BESIDE if step not in INSTALLS)
REACHED_SECONDS = 25
"""Time for a runner to reach the step at which it is to die."""
TELLS_ITSELF = "at a step"
"""Prefix of faults that count themselves: only afterwards is it known whether the step was reached."""
LARGEST_SKEW_SECONDS = 300
Fault = Callable[[random.Random], None]


def faults(stage: Stage, told: Counter[str]) -> dict[str, Fault]:
    """The faults by name. Faults that count themselves add to `told`."""
    found: dict[str, Callable[..., None]] = {
        "runner killed": _kill_runner, "runner restarted": _restart_runner, "runner paused": _pause_runner,
        "gateway killed": _kill_gateway, "gateway restarted": _restart_gateway,
        "Redis killed": _kill_redis, "Redis paused": _pause_redis,
        "MLflow killed": _kill_mlflow, "MLflow away": _mlflow_away, "MLflow hangs": _mlflow_hangs,
        "MLflow cut off": _mlflow_cut_off,
        "clock of the runners jumps": partial(_clock_jumps, name="runners"),
        "clock of the gateway jumps": partial(_clock_jumps, name="gateway"),
    }  # fmt: skip
    for what, steps in (("probe", PROBES), ("installer", INSTALLS)):
        found |= {f"{TELLS_ITSELF} of a {what}": partial(_kill_at, steps=steps, told=told)}
    for name, disk in stage.disks.items():
        found |= {f"{name} read-only": partial(_outage, make=disk.read_only)}
        found |= {f"{name} not mounted": partial(_outage, make=disk.gone)}
    if "jobs" in stage.disks and stage.engine is None:
        found |= {"jobs full": partial(_fill, disk=stage.disks["jobs"])}
    if stage.engine is not None:
        found |= {"engine restarted": _restart_engine}
    return {name: partial(one, stage) for name, one in found.items()}


def _settings(dice: random.Random) -> dict[str, str]:
    return dice.choice((STRICT, LENIENT))


def _kill_gateway(stage: Stage, dice: random.Random) -> None:
    kill_group(stage.gateway)
    time.sleep(dice.uniform(0, 4))
    stage.gateway = stage.new_gateway()


def _restart_gateway(stage: Stage, _dice: random.Random) -> None:
    stage.gateway.terminate()
    stage.gateway.wait(60)
    stage.gateway = stage.new_gateway()


def _kill_runner(stage: Stage, dice: random.Random) -> None:
    number = dice.randrange(RUNNERS)
    kill_group(stage.runners[number])
    time.sleep(dice.uniform(0, 4))
    stage.runners[number] = stage.new_runner(_settings(dice))


def _restart_runner(stage: Stage, dice: random.Random) -> None:
    number = dice.randrange(RUNNERS)
    stage.runners[number].terminate()
    stage.runners[number].wait(60)
    stage.runners[number] = stage.new_runner(_settings(dice))


def _pause_runner(stage: Stage, dice: random.Random) -> None:
    group = stage.runners[dice.randrange(RUNNERS)].pid
    os.killpg(group, signal.SIGSTOP)
    time.sleep(dice.uniform(1, 8))
    os.killpg(group, signal.SIGCONT)


def _kill_at(stage: Stage, dice: random.Random, *, steps: Sequence[str], told: Counter[str]) -> None:
    """Replace a runner by one that dies at a step of a container that it starts beside its jobs."""
    step = dice.choice(steps)
    number, mark = dice.randrange(RUNNERS), stage.site.root / f"died-{time.monotonic_ns()}"
    others = range(RUNNERS) if step in INSTALLS else [number]  # no other runner may take the job that leads there
    for other in others:
        kill_group(stage.runners[other])
    dying = stage.new_runner(_settings(dice), "tests.docker.dying_runner:build", DIE_AT=step, DIED=str(mark))
    until = time.monotonic() + REACHED_SECONDS
    while not mark.exists() and dying.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    told[f"runner killed at: {step}" if mark.exists() else f"runner killed before: {step}"] += 1
    kill_group(dying)
    time.sleep(dice.uniform(0, 4))
    for other in others:
        stage.runners[other] = stage.new_runner(_settings(dice))


def _clock_jumps(stage: Stage, dice: random.Random, *, name: str) -> None:
    """Set a clock to the true time, or seconds or minutes off."""
    stage.clocks[name].jump(dice.choice((0, 1, -1)) * round(dice.uniform(2, LARGEST_SKEW_SECONDS)))


def _outage(stage: Stage, dice: random.Random, *, make: Callable[[], AbstractContextManager[None]]) -> None:
    """Make a disk unusable for seconds; in one case of three also kill a runner meanwhile."""
    with make():
        time.sleep(dice.uniform(1, 8))
        if dice.random() < 1 / 3:
            _kill_runner(stage, dice)
            time.sleep(dice.uniform(1, 8))


def _fill(_stage: Stage, dice: random.Random, *, disk: SmallDisk) -> None:
    disk.fill(but_bytes=0)
    time.sleep(dice.uniform(1, 8))
    disk.make_room()


def _kill_redis(stage: Stage, dice: random.Random) -> None:
    stage.redis.kill()
    time.sleep(dice.uniform(0, 5))
    stage.redis.start()


def _pause_redis(stage: Stage, dice: random.Random) -> None:
    stage.redis.pause()
    time.sleep(dice.uniform(1, 6))
    stage.redis.unpause()


def _kill_mlflow(stage: Stage, dice: random.Random) -> None:
    stage.mlflow.kill()
    time.sleep(dice.uniform(0, 5))
    stage.mlflow.start()


def _mlflow_away(stage: Stage, dice: random.Random) -> None:
    stage.tracking.refuse()
    time.sleep(dice.uniform(1, 8))
    stage.tracking.admit()


def _mlflow_hangs(stage: Stage, dice: random.Random) -> None:
    stage.tracking.freeze()
    time.sleep(dice.uniform(1, 8))
    stage.tracking.thaw()


def _mlflow_cut_off(stage: Stage, _dice: random.Random) -> None:
    stage.tracking.cut()


def _restart_engine(stage: Stage, _dice: random.Random) -> None:
    assert stage.engine is not None
    stage.engine.stop()
    stage.engine.start()
