"""The tracking port's contract for names of files: what is recorded can be fetched under the run's own name (FLD-7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ports.tracking import TrackingPort
from tests.contract.tracking.results import result_of
from tests.odd_names import ODD_NAMES

pytestmark = pytest.mark.contract


def test_every_name_comes_back(tracking: TrackingPort, fresh_name: str, tmp_path: Path) -> None:
    """Each with its own content, also where names differ in case, accents or a percent sign alone."""
    names = [name for name in ODD_NAMES if name != "C:/folder/x"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    ref = tracking.record(result_of(fresh_name, tmp_path))
    assert ref.refused == frozenset()
    for name in names:
        with tracking.artifact(ref.run_id, name) as found:
            assert b"".join(found.pieces).decode() == name
    spelled_too_long = {"#" * 255, "%" * 251 + ".png"}
    assert set(names) - spelled_too_long <= {file.path for file in tracking.files(ref.run_id)}
