"""The canary's judgement without an engine: a wall that does not hold is red (BOX-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core.domain.limits import SMALL
from runner.canary.checks import ENVIRONMENT, limit_rules, rows, wall_rules
from tests.unit.runner.canary.findings import HOLDING, LOW, STOPPED

pytestmark = pytest.mark.unit

CPU: dict[str, float] = STOPPED["cpu"]
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
    ("read-only", HOLDING["read-only"] | {"/weights": ""}),
    ("mounts", ["/"]), ("devices", ["null", "sda"]), ("environment", ["PATH", "API_TOKENS"]),
    ("neighbours", [40, "docker-init"]), ("neighbours", [2, "python"]), ("shared memory", ["left.bin"]),
    ("identity", ["3f2a", "/dev/null", "/job"]), ("oom score", 0),
    ("writable", HOLDING["writable"] | {"/tmp": "EACCES"}), ("writable", {"/tmp": "written"}), ("writable", {}),
    ("writable", HOLDING["writable"] | {"/home/x": "ENOENT"}), ("programs", {"/tmp": "EPERM", "/job": "loaded"}),
    ("python", {"version": [3, 9], "lacks": []}), ("python", {"version": [3, 13], "lacks": ["ssl"]}),
    ("python", {"version": "3", "lacks": []}), ("workers", "PermissionError"), ("filter", "nonsense"), ("sizes", None),
]  # fmt: skip
UNSTOPPED: list[tuple[str, Any]] = [
    ("cpu", CPU | {"periods": 0}), ("cpu", CPU | {"used": 0.6}),
    ("bytes in /out", 4 * LOW.output_bytes), ("bytes in /tmp", 4 * LOW.tmp_bytes), ("files in /out", 256),
    ("bytes in /job", 4 * LOW.job_bytes), ("bytes in /dev/shm", 4 * LOW.shm_bytes),
    ("largest file", "larger than allowed"), ("descriptors", 100_000), ("threads", 2 * LOW.pids),
    ("processes", 256), ("memory", 2 * LOW.memory_bytes), ("memory", "gone, and not for its memory"),
    ("cpu", {"used": 0.1}), ("cpu", 0.2),
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


def test_of_a_long_list_only_what_does_not_belong_there_is_shown() -> None:
    """An admin reads 200 characters of it."""
    found = HOLDING | {"environment": [*sorted(ENVIRONMENT), "ZLIB_VERSION"]}
    (told,) = [row for row in rows(wall_rules(SMALL, "runc"), found, "small") if not row.ok]
    assert told.found == "also ['ZLIB_VERSION']"


def test_what_an_image_says_is_safe_to_show() -> None:
    (told,) = [row for row in rows(wall_rules(SMALL, "runc"), HOLDING | {"workers": "\x1b[2J"}, "small") if not row.ok]
    assert told.found == "‹U+001B›[2J"


def test_gvisor_tells_otherwise_and_is_judged_by_trying() -> None:
    """BOX-8: its figures are its own; a run that its own limit ended is bounded, and one that none ended is not."""
    own = HOLDING | {
        "cgroup": {}, "oom score": 0, "capabilities": ["0" * 16, "not told"], "filter": ["2", "not told"],
        "devices": ["fuse", "net", "null"], "identity": ["job", "host:[1]", "/job"],
        "sizes": HOLDING["sizes"] | {"/tmp": [SMALL.tmp_bytes, 0], "/job": [SMALL.job_bytes, 0]},
    }  # fmt: skip
    assert red(own, "runsc") == []
    assert len(red(own)) == 7
    assert red(own | {"filter": ["0", "not told"], "network": ["lo", "eth0"]}, "runsc") == ["network", "filter"]
    assert red_limits(STOPPED | {"processes": "ended"}, "runsc") == []
    unbound = {"processes": 256, "cpu": CPU | {"periods": 0}, "memory": 2 * LOW.memory_bytes}
    assert red_limits(STOPPED | unbound, "runsc") == ["cpu", "processes", "memory"]


def test_the_sites_weights_are_one_of_its_own_mounts() -> None:
    """FLD-6: read-only, as the submission is."""
    found = HOLDING | {
        "mounts": [*HOLDING["mounts"], "/weights"], "read-only": HOLDING["read-only"] | {"/weights": "EACCES"},
    }  # fmt: skip
    assert all(row.ok for row in rows(wall_rules(SMALL, "runc"), found, "small"))
