"""A config with its overrides as params: bounded, with names of their own, and different for whatever differs."""

from __future__ import annotations

import json

import pytest

from core.domain.applied_config import MOST_CHARS, MOST_PARAMS, applied
from core.domain.metric_names import NAME_BYTES, name_fault

pytestmark = pytest.mark.unit


def test_overrides_stand_in_place_of_the_configs_values() -> None:
    """At the top, as the examples apply them: an object replaces an object."""
    found = applied({"lr": 0.1, "model": {"a": 1, "b": 2}}, {"model": {"a": 3}, "new": True})
    assert found.document == {"lr": 0.1, "model": {"a": 3}, "new": True}
    assert found.params == {"config/model.a": "3", "config/new": "true", "config/lr": "0.1"}
    assert (json.loads(found.file), found.notes) == (found.document, [])


def test_configs_that_differ_only_in_an_override_differ() -> None:
    one, other = applied({"lr": 0.1}, {"epochs": 1}), applied({"lr": 0.1}, {"epochs": 2})
    assert (one.params != other.params, one.sha256 != other.sha256, one.file != other.file) == (True, True, True)
    assert applied({"epochs": 1, "lr": 0.1}, {}).sha256 == one.sha256, "the order makes no difference"


def test_ten_thousand_values_give_a_bounded_number_of_params() -> None:
    """Overridden ones first: two jobs that differ in them differ in MLflow."""
    found = applied({f"k{number}": number for number in range(10_000)}, {"k9999": "mine"})
    assert (len(found.params), found.params["config/k9999"]) == (MOST_PARAMS, "mine")
    assert len(found.document) == 10_000
    (note,) = found.notes
    assert note == "The config has 10000 values. The first 100 are params; leadersboard/config.json has all of them."


def test_names_that_collide_are_said() -> None:
    """The overridden one counts, else the first; a sign that MLflow refuses is `_` in both."""
    found = applied({"model": {"lr": 1}, "a#b": 1, "a%b": 2}, {"model.lr": 5})
    assert found.params == {"config/model.lr": "5", "config/a_b": "1"}
    (note,) = found.notes
    assert note.startswith("No param of the config's 'model.lr', 'a%b': another one has the same name")


@pytest.mark.parametrize(
    "name", ["", "..", ".", " ", "\x00", "a\nb", "\u202eexe", "x" * 5000, "\ud800", "a//b", "精" * 300]
)
def test_every_name_is_one_that_mlflow_takes_or_is_said(name: str) -> None:
    """Neither a name nor a value ends the recording of a run."""
    found = applied({name: "v\x00\ud800"}, {})
    assert len(found.params) + len(found.notes) >= 1
    for param, value in found.params.items():
        assert name_fault(param, of_metric=False) is None
        assert len(param.encode()) <= NAME_BYTES
        value.encode()
        assert "\x00" not in value
    assert json.loads(found.file)


def test_a_value_of_a_megabyte_is_cut_as_a_param_alone() -> None:
    found = applied({"v": "x" * 1_000_000, "many": list(range(100_000))}, {})
    assert {len(value) for value in found.params.values()} == {MOST_CHARS}
    assert len(found.document["v"]) == 1_000_000


@pytest.mark.parametrize(
    "name", ["password", "HF_API_KEY", "api-key", "db.password", "aws_secret_access_key", "secret"]
)
def test_what_is_named_a_secret_is_no_param(name: str) -> None:
    """MLflow shows params to everybody; the file is its owner's."""
    found = applied({"a": {name: "planted"}, "num_tokens": 5, "key": 1, "secrets_per_epoch": 2, "token": "x"}, {})
    assert "planted" not in repr(found.params)
    assert found.params["config/num_tokens"] == "5"
    assert {found.params["config/key"], found.params["config/secrets_per_epoch"]} == {"1", "2"}
    assert b"planted" in found.file


@pytest.mark.parametrize(
    ("config", "seed"),
    [
        ({"seed": 7}, "7"),
        ({"model": {"seed": 1}, "random_state": 2}, "2"),
        ({"trainer": {"seed_everything": 5}}, "5"),
        ({"seed": None}, None),
        ({"seed": [1, 2]}, None),
        ({}, None),
    ],
)
def test_a_seed_is_found_where_the_config_names_one(config: dict[str, object], seed: str | None) -> None:
    assert applied(config, {}).seed == seed
    assert applied(config, {"seed": 9}).seed == "9"
