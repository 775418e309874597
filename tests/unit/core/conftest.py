"""A folder for an archive, a storage, and a site on twins in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.adapters.files.storage import FilesystemStorage
from core.usecases.create_submission import CreateSubmission
from tests.builders import (
    SMALL_LIMITS,
    ports,
    storage,
    upload,
)
from tests.unit.core.usecase_site import Site


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStorage:
    return storage(tmp_path, limits=SMALL_LIMITS)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = ports(tmp_path)
    made = CreateSubmission(storage=found.storage)(upload())
    return Site(ports=found, submission_id=made.submission_id)
