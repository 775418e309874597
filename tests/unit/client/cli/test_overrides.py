"""Configuration as it is typed."""

import pytest

from client.cli.overrides import BadOption, parse_metadata, parse_overrides

pytestmark = pytest.mark.unit


def test_overrides_are_json_or_text() -> None:
    """Numbers, booleans and lists are taken as such; anything else is text, also with an equals sign in it."""
    assert parse_overrides(["a=1", "b=true", "c=[1]", "d=x=y", "e="]) == {
        "a": 1,
        "b": True,
        "c": [1],
        "d": "x=y",
        "e": "",
    }


@pytest.mark.parametrize("pair", ["novalue", "=1", "benchmark=x", "resource_class=small"])
def test_bad_overrides_are_told(pair: str) -> None:
    """A pair that is none, or has its own option, is refused in words."""
    with pytest.raises(BadOption):
        parse_overrides([pair])


def test_metadata_of_a_file_with_a_byte_order_mark_are_read() -> None:
    """FLD-1: `--metadata "$(cat about.json)"` with a file of Windows' Notepad."""
    assert parse_metadata('\ufeff{"team": "B"}') == {"team": "B"}
    assert parse_metadata("\ufeff") == {}


@pytest.mark.parametrize("text", ["{", "[]", "1", "{'team': 'B'}"])
def test_metadata_is_an_object(text: str) -> None:
    """Only a JSON object is metadata."""
    with pytest.raises(BadOption):
        parse_metadata(text)
