"""The canary's trial of one device: leased as for a job, seen alone, computed on, and free again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.domain.canary import CanaryRow
from core.domain.limits import MIB, GpuPolicy, ResourceClass
from runner.canary.checks import Rule, rows
from runner.gpus import Gpus

NO_TORCH = "no torch"


def gpu_rows(gpus: Gpus, limits: ResourceClass, run: Callable[[str], Mapping[str, Any]]) -> Iterator[CanaryRow]:
    """Rows for one free device; a single green one says so when all are in use. Raises Unavailable.

    `run` runs the probe with the device of that UUID and returns its findings.
    """
    if limits.gpus is GpuPolicy.NONE or not gpus.all:
        return
    with gpus.reserved_at_once() as device:
        if device is None:
            told = f"not tried now: none of {len(gpus.all)} is free"
            yield CanaryRow(check="gpu", resource_class=limits.name, expected="the leased one", found=told, ok=True)
            return
        found = dict(run(device))
        used = gpus.given_back(device)
    if used is not None:
        found["gpu memory"] = f"{used // MIB} MiB"
    is_free = used is not None and used <= gpus.busy_bytes
    yield from rows(_rules(device, gpus, is_free=is_free), found, limits.name)


def _rules(device: str, gpus: Gpus, *, is_free: bool) -> Iterator[Rule]:
    yield Rule(check="gpu", expected=f"the leased one, {device}", holds=lambda found: found == [device])
    yield Rule(check="gpu nodes", expected="one device in /dev", holds=lambda found: len(found) == 1)
    told = "the same product as on the CPU, where the image has torch"
    yield Rule(check="gpu product", expected=told, holds=lambda found: found in {"right", NO_TORCH})
    told = f"at most {gpus.busy_bytes // MIB} MiB in use after the run"
    yield Rule(check="gpu memory", expected=told, holds=lambda _found: is_free)
