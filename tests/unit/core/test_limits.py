"""Resource classes and limits: bounds that hold, and classes lowered to what a machine has."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.domain.limits import GIB, MEDIUM, MIB, SMALL, EngineCapacity, GpuPolicy, ResourceClass, UserLimits, fit

pytestmark = pytest.mark.unit


def test_the_two_classes_have_the_times_asked_for() -> None:
    """BOX-3: small 30 minutes, medium 60; a GPU where there is one."""
    assert (SMALL.name, SMALL.timeout_seconds, SMALL.gpus) == ("small", 1800, GpuPolicy.AUTO)
    assert (MEDIUM.name, MEDIUM.timeout_seconds) == ("medium", 3600)


def test_a_class_that_fits_stays_as_it_is() -> None:
    """A machine that has the class's size and its own reserve lowers nothing and says nothing."""
    assert fit(SMALL, EngineCapacity(cpus=2, memory_bytes=5 * GIB)) == (SMALL, [])


def test_a_class_is_lowered_to_the_machine() -> None:
    """CPUs and memory come down to what is there, with one sentence each; the rest stays."""
    lowered, notices = fit(MEDIUM, EngineCapacity(cpus=2, memory_bytes=8 * GIB))
    assert (lowered.cpus, lowered.memory_bytes) == (2, 7 * GIB)
    assert lowered.timeout_seconds == MEDIUM.timeout_seconds
    assert [("4 CPUs" in text, "16384 MiB" in text) for text in notices] == [(True, False), (False, True)]


def test_each_value_is_lowered_alone() -> None:
    """Short of one thing, only this one is lowered."""
    assert len(fit(MEDIUM, EngineCapacity(cpus=1, memory_bytes=64 * GIB))[1]) == 1
    assert len(fit(MEDIUM, EngineCapacity(cpus=64, memory_bytes=GIB))[1]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Big"},
        {"name": "../x"},
        {"name": ""},
        {"cpus": 0},
        {"cpus": float("nan")},
        {"cpus": float("inf")},
        {"memory_bytes": MIB},
        {"timeout_seconds": 0},
        {"timeout_seconds": 8 * 24 * 3600},
        {"output_bytes": 0},
        {"pids": 1},
        {"output_files": 0},
        {"typo": 1},
    ],
)
def test_a_class_without_real_bounds_is_refused(changes: dict[str, object]) -> None:
    """No class is unlimited, misspelt or too small to run anything."""
    with pytest.raises(ValidationError):
        ResourceClass(**SMALL.model_dump() | changes)


@pytest.mark.parametrize("changes", [{"jobs_per_hour": 0}, {"concurrent_running": 0}])
def test_a_user_may_do_something(changes: dict[str, int]) -> None:
    """Limits of nothing are a mistake."""
    with pytest.raises(ValidationError):
        UserLimits(**changes)


@pytest.mark.parametrize("image", ["", "-x", "../containers", "a b", "a\n", "x" * 201, "--privileged"])
def test_what_is_no_name_of_an_image_is_refused(image: str) -> None:
    with pytest.raises(ValidationError):
        ResourceClass.model_validate(SMALL.model_dump() | {"image": image})


def test_a_class_has_the_sites_image_or_its_own() -> None:
    own = ResourceClass.model_validate(SMALL.model_dump() | {"image": "registry.example:5000/lab/torch@sha256:ab"})
    assert (SMALL.image_of("site:1"), own.image_of("site:1")) == ("site:1", "registry.example:5000/lab/torch@sha256:ab")
