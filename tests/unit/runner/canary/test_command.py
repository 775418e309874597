"""What the canary's command prints."""

from __future__ import annotations

import pytest

from runner.canary.command import table
from tests.unit.runner.canary.findings import report_of, row

pytestmark = pytest.mark.unit


def test_many_red_rows_are_told_in_few_words() -> None:
    report = report_of(*(row(ok=False, check=f"c{number}") for number in range(9)), row(ok=True))
    assert "and 6 more" in str(report.refusal)
    assert "9 of 10 do not hold" in table(report)
    assert table(report_of(row(ok=True))).splitlines()[0].startswith("ok ")
    assert not report_of().ok
