"""Labels lie where nobody else sees them, or no runner starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import Settings
from runner.scoring.opening import SEEN, check_hidden

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", SEEN)
def test_labels_inside_a_folder_that_others_see_are_refused(tmp_path: Path, name: str) -> None:
    """Or around one, or by a link; the message names both."""
    (tmp_path / "seen").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "seen")
    for labels in (tmp_path / "seen" / "labels", tmp_path, tmp_path / "link"):
        with pytest.raises(ValueError, match=f"LABELS_ROOT: .* and {name.upper()} "):
            check_hidden(Settings.model_validate({name: tmp_path / "seen", "labels_root": labels}))


def test_labels_beside_them_are_taken(tmp_path: Path) -> None:
    check_hidden(Settings())
    check_hidden(Settings(benchmark_root=tmp_path / "benchmarks", labels_root=tmp_path / "benchmarks-labels"))
