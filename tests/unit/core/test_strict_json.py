"""JSON from strangers has one meaning or is refused in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import strict_json

pytestmark = pytest.mark.unit

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@given(VALUES)
def test_every_plain_value_comes_back_as_it_was(value: object) -> None:
    assert strict_json.parse(json.dumps(value)) == value
    assert strict_json.parse(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[" * 1_000_000, "nested"),
        ("[" * 40 + "]" * 40, "nested"),
        ('{"a":1,"a":2}', "'a' twice"),
        ('[{"x":{"b":1,"b":1}}]', "'b' twice"),
        ("[NaN]", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "range"),
        ("9" * 5000, "64 bits"),
        (str(2**63), "64 bits"),
        ('"\\u0000"', "NUL"),
        ('{"a\\u0000":1}', "NUL"),
        ('["\\ud800"]', "surrogate"),
        ('{"a":', "not valid JSON"),
        ("", "not valid JSON"),
        (b'"\xff"', "UTF-8"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_everything_else_is_refused_in_words(text: str | bytes, rule: str) -> None:
    with pytest.raises(strict_json.BadJson, match=rule):
        strict_json.parse(text)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        strict_json.parse(raw)
    except strict_json.BadJson as error:
        assert str(error)  # noqa: PT017 - both ways are right, this one with words


def test_nesting_up_to_the_limit_is_taken() -> None:
    assert strict_json.parse("[" * 32 + "]" * 32)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_fault(encoding: str) -> None:
    """FLD-1: as Windows' editors and shells save a text; a text that was decoded with its mark, too."""
    assert strict_json.parse('{"a": 1}'.encode(encoding)) == strict_json.parse('\ufeff{"a": 1}') == {"a": 1}
