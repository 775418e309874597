"""The folder of labels as a runner sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.scoring import labels_folder
from runner.scoring.labels_folder import LabelsFolder, NoLabels
from scorer.manifest import manifest

pytestmark = pytest.mark.unit


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    made = tmp_path / "dots"
    (made / "masks").mkdir(parents=True)
    (made / "labels.json").write_text("{}")
    (made / "masks" / "a.png").write_text("a")
    return made


def test_labels_are_hashed_once_until_a_file_changes(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where size and name stay."""
    hashed = []
    monkeypatch.setattr(labels_folder, "manifest", lambda path: hashed.append(path) or manifest(path))
    folder = LabelsFolder(root=labels.parent)
    first = folder.of("dots")
    assert (folder.of("dots"), len(hashed)) == (first, 1)
    (labels / "masks" / "a.png").write_text("b")
    second = folder.of("dots")
    assert (second.sha256 != first.sha256, second.sha256, len(hashed)) == (True, manifest(labels), 2)


def test_a_program_of_their_own_is_seen(labels: Path) -> None:
    """Only at the top of the folder."""
    (labels / "masks" / "score.py").write_text("")
    folder = LabelsFolder(root=labels.parent)
    assert not folder.of("dots").has_program
    (labels / "score.py").write_text("")
    assert folder.of("dots").has_program


def test_missing_and_empty_folders_are_told_with_their_place(labels: Path) -> None:
    folder = LabelsFolder(root=labels.parent)
    with pytest.raises(NoLabels, match=str(labels.parent / "none")):
        folder.of("none")
    (labels.parent / "empty").mkdir()
    with pytest.raises(NoLabels, match="is empty"):
        folder.of("empty")
