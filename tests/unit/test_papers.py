"""What the papers name is there: a test, a page, a numbered requirement; one that is renamed is noticed here."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

NUMBER = re.compile(r"\b(?:SUB|JOB|BOX|LOG|TRK|SCO|AUT|DOR|UI|FLD|RUN|PER|REL|TST)-\d+\b|\bR\d{1,2}(?=[,:)])")
SOURCES = ("core", "gateway", "runner", "client", "ui", "measurements", "tests", "docs", "scripts")
PAPERS = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "scripts/README.md"),
    *sorted(str(page.relative_to(REPOSITORY)) for page in (REPOSITORY / "docs").rglob("*.md")),
)


@pytest.mark.parametrize("name", PAPERS)
def test_every_test_that_a_paper_names_exists(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    named = re.findall(r"`(tests/[A-Za-z0-9_./-]+)`", text)
    assert [one for one in named if not (REPOSITORY / one).exists()] == []


@pytest.mark.parametrize("name", PAPERS)
def test_every_test_that_a_paper_names_without_its_folder_exists(name: str) -> None:
    """`test_x.py::test_y`, or `folder/test_x.py`: a file of ours, and a test in it."""
    sources = {path.as_posix(): path.read_text() for path in (REPOSITORY / "tests").rglob("test_*.py")}
    named = re.findall(r"`([\w/.]*\btest_\w+\.py)(?:::(test_\w+))?", (REPOSITORY / name).read_text())
    assert [
        (file, test)
        for file, test in named
        if not any(path.endswith(f"/{file}") and f"def {test}" in text for path, text in sources.items())
    ] == []


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


def test_every_requirement_that_is_named_is_listed() -> None:
    """The first column of docs/requirements.md; `FLD-1 to FLD-9` stands for all between."""
    listed = set()
    for line in (REPOSITORY / "docs/requirements.md").read_text().splitlines():
        column = line.split("|")[1] if line.startswith("| ") else ""
        listed |= set(re.findall(r"[A-Z]+-?\d+", column))
        for kind, first, last in re.findall(r"([A-Z]+-)(\d+) to [A-Z]+-(\d+)", column):
            listed |= {f"{kind}{number}" for number in range(int(first), int(last) + 1)}
    files = [
        path for name in SOURCES for path in (REPOSITORY / name).rglob("*") if path.suffix in {".py", ".md", ".lua"}
    ]
    named = {number: path for path in files for number in NUMBER.findall(path.read_text())}
    assert len(named) > 60
    assert sorted(number for number in named if number not in listed) == []
