"""One tree for each test."""

from pathlib import Path

import pytest

from tests.unit.scorer.tree import Tree
from tests.unit.scorer.tree import tree as made_tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return made_tree(tmp_path)
