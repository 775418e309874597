"""The hash of a folder of labels or predictions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from scorer.manifest import listing, manifest

pytestmark = pytest.mark.unit


def test_it_is_the_hash_of_the_sorted_lines(tmp_path: Path) -> None:
    """The contract, written out: other programs compute it, too."""
    (tmp_path / "masks").mkdir()
    (tmp_path / "labels.json").write_bytes(b"{}")
    (tmp_path / "masks" / "a.png").write_bytes(b"png")
    lines = [
        f"{hashlib.sha256(b'{}').hexdigest()}  labels.json\n", f"{hashlib.sha256(b'png').hexdigest()}  masks/a.png\n",
    ]  # fmt: skip
    assert listing(tmp_path).decode() == "".join(sorted(lines))
    assert manifest(tmp_path) == hashlib.sha256(listing(tmp_path)).hexdigest()


def test_names_and_contents_change_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    found = {manifest(tmp_path)}
    (tmp_path / "a").rename(tmp_path / "b")
    found.add(manifest(tmp_path))
    (tmp_path / "b").write_bytes(b"2")
    found.add(manifest(tmp_path))
    (tmp_path / "\udcff").write_bytes(b"")
    assert len(found | {manifest(tmp_path)}) == 4


def test_a_folder_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        manifest(tmp_path / "none")
