"""Names of a run's files: any script, any sign; only what leads elsewhere or acts on a terminal is refused (FLD-7)."""

from __future__ import annotations

import pytest

from core.domain.artifact_names import name_faults
from tests.odd_names import ODD_NAMES, REFUSED_NAMES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_a_name_is_kept_whatever_its_script_or_sign(name: str) -> None:
    assert name_faults(name) == []


@pytest.mark.parametrize("name", REFUSED_NAMES, ids=range(len(REFUSED_NAMES)))
def test_what_leads_elsewhere_or_cannot_be_written_is_refused(name: str) -> None:
    assert name_faults(name)


def test_all_reasons_are_given() -> None:
    assert name_faults("../a\n") == ["must not contain '..', '.' or empty parts", "must not contain control characters"]
    assert name_faults("\udcff") == ["must be UTF-8"]
