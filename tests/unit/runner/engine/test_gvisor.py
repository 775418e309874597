"""Our list of system calls for gVisor: one call more than for the kernel, and nothing else."""

from __future__ import annotations

import json

import pytest

from runner.engine.gvisor import system_calls
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit


def allowed(profile: str) -> set[str]:
    groups = json.loads(profile)["syscalls"]
    return {name for group in groups if group["action"] == "SCMP_ACT_ALLOW" for name in group["names"]}


def test_only_clone3_is_allowed_besides() -> None:
    """Without it no thread starts there; everything that is refused stays refused."""
    ours = (REPOSITORY / "seccomp.json").read_text()
    theirs = system_calls(ours)
    assert allowed(theirs) - allowed(ours) == {"clone3"}
    assert allowed(ours) <= allowed(theirs)
    assert json.loads(theirs)["defaultAction"] == json.loads(ours)["defaultAction"] == "SCMP_ACT_ERRNO"
    refused = [group for group in json.loads(theirs)["syscalls"] if group["action"] != "SCMP_ACT_ALLOW"]
    assert not any("clone3" in group["names"] for group in refused)
