"""The list of system calls: its file is what the groups say, every known call stands in one, and rules have no gaps."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from runner.engine.seccomp_policy import ALLOWED, BY_ARGUMENT, DENIED, FALLING_BACK, NAMESPACES, profile, table, text
from tests.conftest import REPOSITORY
from tests.system_calls import NUMBERS

pytestmark = pytest.mark.unit


def test_the_file_is_what_the_groups_say() -> None:
    """`scripts/seccomp` writes both; nobody edits the file alone."""
    assert (REPOSITORY / "seccomp.json").read_text() == text()
    docs = (REPOSITORY / "docs/security.md").read_text()
    assert table() in docs


def test_every_call_of_the_kernel_is_on_one_side_of_the_wall() -> None:
    """Also for people: a call that nobody has looked at stands in no group, and is refused."""
    counted = Counter(call for group in (*ALLOWED, FALLING_BACK, *DENIED) for call in group.calls)
    counted.update(list(BY_ARGUMENT))
    assert set(counted) == set(NUMBERS)
    assert set(counted.values()) == {1}


def test_each_group_has_its_reason() -> None:
    for group in (*ALLOWED, FALLING_BACK, *DENIED):
        assert len(group.why) > 20, group.name


def test_what_is_refused_is_allowed_by_no_rule() -> None:
    """By no rule at all, and the default is an error."""
    found = profile()
    allowed = {name for rule in found["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
    assert (found["defaultAction"], found["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)
    assert allowed.isdisjoint(call for group in (FALLING_BACK, *DENIED) for call in group.calls)
    assert allowed == {call for group in ALLOWED for call in group.calls} | set(BY_ARGUMENT)


def test_arguments_are_compared_whole() -> None:
    """One rule for each value that may be, none by `not equal`: a high bit makes another, which no rule names."""
    rules = [rule for rule in profile()["syscalls"] if rule.get("args")]
    assert {rule["names"][0] for rule in rules} == set(BY_ARGUMENT)
    assert all(len(rule["names"]) == 1 for rule in rules)
    operations = {(rule["names"][0], argument["op"]) for rule in rules for argument in rule["args"]}
    assert {op for name, op in operations if name != "clone"} == {"SCMP_CMP_EQ"}
    assert ("clone", "SCMP_CMP_MASKED_EQ") in operations


@pytest.mark.parametrize("bit", [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000])
def test_clone_makes_no_namespace(bit: int) -> None:
    """Mount, control groups, names, IPC, users, processes, network."""
    assert NAMESPACES & bit
    assert json.loads(text())["syscalls"][1]["args"][0]["value"] & bit
