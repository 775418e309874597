"""Take any single option of a run away, or weaken it: a requirement that was stated apart from the options fails.

The frozen files notice every change, too, but would also pass a weakness that was frozen. The table of
docs/security.md is written from here: `LEADERSBOARD_OPTIONS_TABLE=docs/security.md pytest THIS`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.domain.limits import MEDIUM, SMALL, ResourceClass
from runner.engine.container_spec import job_options, volume_options
from tests.conftest import REPOSITORY
from tests.option_mutations import CREATION_FAILS, NO_WALL, WEAKER, Mutant, asked, mutants
from tests.sandbox_requirements import RULES, violations
from tests.unit.runner.engine.test_container_spec import spec_of

pytestmark = pytest.mark.unit

OPTIONS = job_options(spec_of(SMALL), image_id="sha256:image", seccomp="<seccomp>", slot=7)
MUTANTS = list(mutants(OPTIONS))
BEGIN, END = "<!-- options table: begin -->\n", "<!-- options table: end -->"
VOLUME = {"size", "nr_inodes", "uid", "gid", "mode", "nosuid", "nodev", "noexec"}


@pytest.mark.parametrize("limits", [SMALL, MEDIUM])
def test_the_options_meet_every_requirement(limits: ResourceClass) -> None:
    options = job_options(spec_of(limits), image_id="sha256:image", seccomp="<seccomp>", slot=7)
    assert violations(asked(options), limits) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.option}, {mutant.change}")
def test_an_option_less_is_found(mutant: Mutant) -> None:
    """Strictness decays silently: here it does not."""
    assert violations(asked(mutant.options), SMALL), f"nobody would miss {mutant.option}"


def test_every_option_is_among_the_mutants() -> None:
    """A new option needs a rule, or a word why its absence is none's loss."""
    tried = {mutant.option.partition(" ")[0] for mutant in MUTANTS} | {mutant.option for mutant in MUTANTS}
    tried |= {"labels", "ulimits", "environment", "mounts", "log_config", "tmpfs"}
    assert set(OPTIONS) <= tried | CREATION_FAILS | NO_WALL
    assert (NO_WALL - {"name", "detach", "device_requests"}) <= set(WEAKER)


def test_every_requirement_is_the_only_one_to_find_something() -> None:
    """No rule is idle: each finds a weakness that no other finds."""
    alone = {found[0] for mutant in MUTANTS if len(found := violations(asked(mutant.options), SMALL)) == 1}
    assert {rule.name for rule in RULES} == alone


@pytest.mark.parametrize("part", sorted(VOLUME))
def test_the_output_volume_has_every_bound(part: str) -> None:
    """Exactly these parts, with the class's own figures and the run's own user."""
    found = dict(item.partition("=")[::2] for item in volume_options(SMALL, 7)["o"].split(","))
    assert set(found) == VOLUME
    wanted = {"size": str(SMALL.output_bytes), "nr_inodes": str(SMALL.output_files), "uid": "60007", "gid": "60007",
              "mode": "0700"}  # fmt: skip
    assert found[part] == wanted.get(part, "")


def table() -> str:
    """Which check finds which option missing; what the probe inside finds, too, is in tests/docker/test_canary.py."""
    changes: dict[str, list[str]] = {}
    checks: dict[str, dict[str, None]] = {}
    for mutant in MUTANTS:
        changes.setdefault(mutant.option, []).append(mutant.change)
        checks.setdefault(mutant.option, {}).update(dict.fromkeys(violations(asked(mutant.options), SMALL)))
    lines = [f"| `{option}` | {', '.join(words)} | {', '.join(checks[option])} |" for option, words in changes.items()]
    return "\n".join(["| option | taken or weakened | found by |", "|---|---|---|", *lines, ""])


def test_the_table_in_the_docs_is_current() -> None:
    path = Path(os.environ.get("LEADERSBOARD_OPTIONS_TABLE") or REPOSITORY / "docs/security.md")
    text = path.read_text()
    before, _, rest = text.partition(BEGIN)
    if os.environ.get("LEADERSBOARD_OPTIONS_TABLE"):
        path.write_text(before + BEGIN + table() + END + rest.partition(END)[2])
    assert table() == path.read_text().partition(BEGIN)[2].partition(END)[0]
