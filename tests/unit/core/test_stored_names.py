"""Names at MLflow: as they are, but for the signs that it refuses or changes, and back again (FLD-7)."""

from __future__ import annotations

from urllib.parse import unquote, urlparse, urlunparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.mlflow.stored_names import own_name, stored_name
from tests.odd_names import ODD_NAMES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name", ["curves/roc (1), é.png", "epoch=12-step=300.ckpt", "ネジ.png", ".hidden", "tilde~", "a b+c&d.png", "-rf"]
)
def test_what_mlflow_takes_stays(name: str) -> None:
    """Also names of runs that were recorded before there was another spelling."""
    assert stored_name(name) == name


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("a#b.png", "a~23b.png"), ("100%.png", "100~25.png"), ("what?", "what~3F"), ("C:/x", "C~3A/x"),
        ("a\\b", "a~5Cb"), ("~23", "~7E23"), ("..a/....png", "~2E.a/~2E...png"),
        (".artifact.uploading.x", "~2Eartifact.uploading.x"),
    ],
)  # fmt: skip
def test_what_it_refuses_or_changes_is_spelled(name: str, stored: str) -> None:
    assert (stored_name(name), own_name(stored)) == (stored, name)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_no_two_names_are_stored_as_one(name: str) -> None:
    assert own_name(stored_name(name)) == name


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_every_stored_name_survives_mlflows_own_reading(name: str) -> None:
    """As it decodes paths: percent signs, queries and params until nothing changes; and its rules for parts."""
    stored = stored_name(name)
    assert urlunparse(urlparse(unquote(stored))) == stored
    assert not {"#", "\\", ":"} & set(stored)
    for part in stored.split("/"):
        assert not part.startswith(("..", ".artifact.uploading."))
        assert len(part.encode()) <= 255


def test_a_name_too_long_to_be_spelled_is_stored_by_its_hash() -> None:
    names = ["#" * 255, "#" * 254 + "%"]
    stored = [stored_name(name) for name in names]
    assert len(set(stored)) == 2
    assert [own_name(one) for one in stored] == stored
