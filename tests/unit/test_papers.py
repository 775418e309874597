"""What the security papers name is there: a test that is renamed or removed is noticed in the page that rests on it."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

PAPERS = ("SECURITY.md", "docs/threat-model.md", "docs/security.md", "docs/decisions/0015-audit-trail.md")


@pytest.mark.parametrize("name", PAPERS)
def test_every_test_that_a_paper_names_exists(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    named = re.findall(r"`(tests/[A-Za-z0-9_./-]+)`", text)
    assert [one for one in named if not (REPOSITORY / one).exists()] == []


@pytest.mark.parametrize("name", PAPERS)
def test_every_page_that_a_paper_points_to_exists(name: str) -> None:
    paper = REPOSITORY / name
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", paper.read_text())
    assert [one for one in links if not (paper.parent / one).exists()] == []


def test_every_attacker_of_the_threat_model_meets_a_test() -> None:
    """Each row of the table names at least one."""
    rows = [line for line in (REPOSITORY / "docs/threat-model.md").read_text().splitlines() if line.startswith("| ")]
    attackers = [row for row in rows if not row.startswith("| attacker")]
    assert len(attackers) >= 15
    assert [row.split("|")[1] for row in attackers if "`tests/" not in row.split("|")[4]] == []
