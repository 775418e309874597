"""Devices: whole ones, never shared, and none on which something else is (BOX-5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from core.domain.limits import GIB, GpuPolicy
from runner import gpus as gpus_module
from runner.gpus import Gpus
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = [pytest.mark.unit, pytest.mark.slow]


class EnoughError(Exception):
    """The test has waited enough."""


@pytest.fixture
def engine(tmp_path: Path) -> ProcessEngine:
    return ProcessEngine(tmp_path / "engine", devices=("GPU-a", "GPU-b"))


def reserved(gpus: Gpus, patience: int = 3) -> tuple[str | None, list[str]]:
    """What is given, or None after some waiting; and what was said meanwhile."""
    said: list[str] = []
    looks = iter(range(patience))

    def wait() -> None:
        if next(looks, None) is None:
            raise EnoughError

    try:
        with gpus.reserved(GpuPolicy.REQUIRED, check=wait, say=said.append) as device:
            return device, said
    except EnoughError:
        return None, said


def test_a_device_with_memory_taken_is_passed_over_and_told(engine: ProcessEngine, tmp_path: Path) -> None:
    """Before: what a stranger holds is given to nobody."""
    engine.gpu_used = {"GPU-a": 3 * GIB}
    gpus = Gpus(engine, lock_file=tmp_path / "lock")
    assert reserved(gpus) == ("GPU-b", [])
    assert gpus.quarantined == {"GPU-a": "3072 MiB taken while nobody has it"}


def test_a_little_memory_is_the_drivers_own(engine: ProcessEngine, tmp_path: Path) -> None:
    """Drivers keep some hundred MiB on an idle device."""
    engine.gpu_used = {"GPU-a": GIB}
    assert reserved(Gpus(engine, lock_file=tmp_path / "lock"))[0] == "GPU-a"


def test_with_all_in_quarantine_a_job_waits_and_hears_why(engine: ProcessEngine, tmp_path: Path) -> None:
    """The engine is not asked each second for it."""
    engine.gpu_used = {"GPU-a": 3 * GIB, "GPU-b": 3 * GIB}
    device, said = reserved(Gpus(engine, lock_file=tmp_path / "lock"), patience=5)
    assert device is None
    assert "2, 2 of them in quarantine" in said[0]
    assert engine.gpu_looks == 2


def test_a_device_comes_back_when_it_is_free_again(
    engine: ProcessEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to restart a runner for it."""
    monkeypatch.setattr(gpus_module, "RECHECK_SECONDS", 0.0)
    engine.devices, engine.gpu_used = ("GPU-a",), {"GPU-a": 3 * GIB}
    gpus = Gpus(engine, lock_file=tmp_path / "lock")
    gpus.look_after()
    assert gpus.quarantined
    engine.gpu_used = {}
    assert reserved(gpus)[0] == "GPU-a"
    assert not gpus.quarantined


def test_what_a_run_leaves_is_found_after_it(engine: ProcessEngine, tmp_path: Path) -> None:
    """After: looked at again and again for a moment, then in quarantine; a device in use is left alone."""
    gpus = Gpus(engine, lock_file=tmp_path / "lock")
    engine.gpu_used, engine.taken = {"GPU-a": 3 * GIB, "GPU-b": 3 * GIB}, {"GPU-b"}
    gpus.look_after()
    assert set(gpus.quarantined) == {"GPU-a"}


def test_a_device_that_vanished_is_given_to_nobody(engine: ProcessEngine, tmp_path: Path) -> None:
    """It was in the inventory and is not listed any more."""
    gpus = Gpus(engine, lock_file=tmp_path / "lock")
    assert gpus.all == ("GPU-a", "GPU-b")
    engine.devices = ("GPU-b",)
    assert reserved(gpus)[0] == "GPU-b"
    assert "does not list it" in gpus.quarantined["GPU-a"]


def test_looking_after_harms_no_run(engine: ProcessEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is away then is the next job's concern."""
    gpus = Gpus(engine, lock_file=tmp_path / "lock")
    assert gpus.all

    def away() -> set[str]:
        raise Unavailable("The engine")

    monkeypatch.setattr(engine, "gpus_in_use", away)
    gpus.look_after()


def test_a_job_waits_with_a_word_in_its_status(tmp_path: Path) -> None:
    """BOX-5: its status and its log say what it waits for."""
    runner = TwinRunner(tmp_path, ProcessEngine(tmp_path / "engine", devices=("GPU-a",), taken={"GPU-a"}))
    claim = runner.claim(GOOD)
    seen: list[str | None] = []

    def in_use() -> set[str]:
        seen.append(runner.ledger.get(claim.job_id).device)
        return {"GPU-a"} if len(seen) < 4 else set()

    runner.engine.gpus_in_use = in_use  # type: ignore[method-assign]
    job = runner.run(claim)
    assert "waiting for a GPU" in seen
    assert job.device == "gpu GPU-a"
    assert runner.log_of(job).count("Waiting for a GPU: this runner has 1") == 1
