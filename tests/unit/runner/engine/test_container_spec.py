"""The options of a sandbox, compared as a whole with a frozen file, and each wall by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.limits import MEDIUM, SMALL, ResourceClass
from core.ports.sandbox import SandboxSpec
from runner.engine.container_spec import EngineMeans, holder_options, job_options, volume_options
from runner.engine.gpu_probe import probe_options

pytestmark = pytest.mark.unit

FROZEN = Path(__file__).parent / "frozen_options"


def spec_of(limits: ResourceClass, gpu: str | None = None) -> SandboxSpec:
    return SandboxSpec(
        site="s1",
        job_id="0" * 32,
        attempt=2,
        claim="c1",
        user_id="ann",
        entrypoint="main.py",
        config_file="config.yaml",
        limits=limits,
        image="leadersboard-sandbox:latest",
        submission=Path("/shared/submissions/1/files"),
        config=Path("/shared/jobs/0/config"),
        data=Path("/shared/benchmarks/synthetic/public"),
        gpu=gpu,
    )


@pytest.mark.parametrize(
    ("name", "limits", "gpu"), [("small", SMALL, None), ("medium", MEDIUM, None), ("small-gpu", SMALL, "GPU-1234")]
)
def test_the_options_are_exactly_the_frozen_ones(name: str, limits: ResourceClass, gpu: str | None) -> None:
    """BOX-2 to BOX-6: no option changes, comes or goes without somebody changing this file, too."""
    spec = spec_of(limits, gpu)
    found = {
        "job": job_options(spec, image_id="sha256:image", seccomp="<seccomp>", slot=7),
        "holder": holder_options(spec, image_id="sha256:image", seccomp="<seccomp>", slot=7),
        "volume": volume_options(limits, 7),
    }
    frozen: dict[str, Any] = json.loads((FROZEN / f"{name}.json").read_text())
    assert json.loads(json.dumps(found)) == frozen


def test_no_text_of_a_submission_becomes_an_option() -> None:
    """Entrypoint and config file appear as arguments of python and nowhere else."""
    spec = SandboxSpec(**{**{f: getattr(spec_of(SMALL), f) for f in SandboxSpec.__slots__}, "entrypoint": "EVIL.py"})
    options = job_options(spec, image_id="i", seccomp="s", slot=7)
    assert [key for key, value in options.items() if "EVIL" in str(value)] == ["command"]


def test_memory_and_swap_are_one_bound() -> None:
    """BOX-3: swap is off."""
    for limits in (SMALL, MEDIUM):
        options = job_options(spec_of(limits), image_id="i", seccomp="s", slot=7)
        assert options["mem_limit"] == options["memswap_limit"] == limits.memory_bytes


@pytest.mark.parametrize(("gpu", "visible"), [(None, ("void", "")), ("GPU-1", (None, None))])
def test_a_run_sees_its_own_device_as_the_first_or_none_at_all(gpu: str | None, visible: tuple[object, ...]) -> None:
    """BOX-5: never an index of the host's; without a device nothing is handed out by a default runtime either."""
    found = job_options(spec_of(SMALL, gpu), image_id="i", seccomp="s", slot=7)["environment"]
    assert (found.get("NVIDIA_VISIBLE_DEVICES"), found.get("CUDA_VISIBLE_DEVICES")) == visible


def test_a_device_can_be_asked_for_by_cdi() -> None:
    """BOX-5: one device by its qualified name; the inventory asks for all of them in the same way."""
    means = EngineMeans(gpu_access="cdi")
    (run,) = job_options(spec_of(SMALL, "GPU-1"), image_id="i", seccomp="s", slot=7, means=means)["device_requests"]
    assert (run["Driver"], run["DeviceIDs"]) == ("cdi", ["nvidia.com/gpu=GPU-1"])
    (probe,) = probe_options("s1", "i", means)["device_requests"]
    assert (probe["Driver"], probe["DeviceIDs"]) == ("cdi", ["nvidia.com/gpu=all"])


def test_the_runtime_is_the_only_difference_that_gvisor_makes() -> None:
    """BOX-8: every wall stays; what runs nothing foreign stays on the default runtime."""
    plain = job_options(spec_of(SMALL), image_id="i", seccomp="s", slot=7)
    stronger = job_options(spec_of(SMALL), image_id="i", seccomp="s", slot=7, means=EngineMeans(runtime="runsc"))
    assert stronger == plain | {"runtime": "runsc"}
    assert "runtime" not in plain


def test_the_sites_weights_are_one_more_read_only_mount() -> None:
    """FLD-6: nothing else changes with them, under any runtime."""
    without = job_options(spec_of(SMALL), image_id="i", seccomp="s", slot=7)
    spec = replace(spec_of(SMALL), weights=Path("/shared/weights"))
    found = job_options(spec, image_id="i", seccomp="s", slot=7)
    (added,) = [mount for mount in found["mounts"] if mount not in without["mounts"]]
    assert (added["Target"], added["Source"], added["ReadOnly"]) == ("/weights", "/shared/weights", True)
    assert found | {"mounts": without["mounts"]} == without
