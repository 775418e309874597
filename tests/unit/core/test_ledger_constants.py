"""Numbers that the ledger's scripts and Python both state are the same.

A script's arguments are the same for all versions that share a ledger, so these numbers are no arguments.
"""

from __future__ import annotations

import re

import pytest

from core.adapters.redis.job_status import script_text
from core.adapters.redis.old_records import RETAIN_SECONDS
from core.domain.job import MOST_GIVEN_BACK

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("name", "number"), [("RETAIN_SECONDS", RETAIN_SECONDS), ("MOST_GIVEN_BACK", MOST_GIVEN_BACK)])
def test_a_number_is_the_same_in_lua(name: str, number: int) -> None:
    (spelled,) = re.findall(rf"^local {name} = ([0-9 *]+)$", script_text("finish"), re.MULTILINE)
    product = 1
    for factor in spelled.split("*"):
        product *= int(factor)
    assert product == number
