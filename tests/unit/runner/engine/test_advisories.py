"""Which versions of the engine's parts are too old, and why."""

from __future__ import annotations

import pytest

from runner.engine.advisories import old_parts, refusal

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("versions", "old"),
    [
        ({"Engine": "29.5.1", "runc": "1.3.6"}, []), ({"Engine": "29.6.0-rc.1", "runc": "v1.4.0"}, []),
        ({"Engine": "26.1.5+dfsg1", "runc": "1.1.15+ds1"}, ["Engine", "runc"]), ({}, ["Engine", "runc"]),
        ({"Engine": "29.5", "runc": "odd"}, ["Engine", "runc"]), ({"Engine": "30", "runc": "1.3.6+ds1-1"}, []),
        ({"Engine": "29.5.1-rc.1", "runc": "1.3.6~rc2"}, ["Engine", "runc"]), ({"Engine": "29.5.1~ds1"}, ["runc"]),
        ({"Engine": "dev", "runc": ""}, ["Engine", "runc"]), ({"Engine": "master-1a2b3c", "runc": "1.10"}, ["Engine"]),
        ({"Podman Engine": "99", "crun": "99"}, ["Engine", "runc"]), ({"Engine": "v29.5.1", "runc": "١.٣.٦"}, ["runc"]),
    ],
)  # fmt: skip
def test_an_old_engine_is_told_with_the_reason(versions: dict[str, str], old: list[str]) -> None:
    """By upstream's numbers; what the engine does not tell, or has no number, or comes before a release, is old."""
    found = old_parts(versions)
    assert [one.part for one in found] == old
    assert all("CVE-" in one.sentence and len(one.sentence) <= 300 for one in found)
    assert (refusal(found) is None) == (not old)
