"""The tree of errors: stable codes, and texts written for the user."""

from __future__ import annotations

import re

import pytest

from core.domain import errors
from core.domain.errors import Fault, InvalidInput, LeadersboardError, LimitReached, NotFound, TooLarge, Unavailable

pytestmark = pytest.mark.unit

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LeadersboardError)]


def test_every_kind_has_a_code_and_a_docstring_of_its_own() -> None:
    """Programs tell errors apart by code."""
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert all(kind.__doc__ for kind in KINDS)


def test_the_tree_at_the_top_of_the_file_names_every_kind() -> None:
    """The drawn tree is the real one."""
    drawn = re.findall(r"^[│├└─ ]*([A-Z]\w+)", (errors.__doc__ or "").split("\n\n", 1)[1], re.MULTILINE)
    assert sorted(drawn) == sorted(kind.__name__ for kind in KINDS)


def test_invalid_input_lists_all_its_faults() -> None:
    """Each fault has its field and rule, and the text has all of them."""
    found = InvalidInput(Fault(field="a", rule="is odd"), Fault(field="b", rule="is even"))
    assert str(found) == "a: is odd; b: is even"
    assert [fault.field for fault in found.faults] == ["a", "b"]


def test_too_large_is_built_like_its_parent() -> None:
    """`of` keeps the kind."""
    assert type(TooLarge.of("files", "too big")) is TooLarge


def test_texts_say_what_is_needed() -> None:
    """What is missing, which part is away, and when to come back."""
    assert "'x'" in str(NotFound("job", "x"))
    assert str(Unavailable("Redis")) == "Redis does not answer. Try again in a moment."
    assert "Redis does not answer: timeout." in str(Unavailable("Redis", "timeout"))
    assert LimitReached("later", retry_after_seconds=7).retry_after_seconds == 7


def test_not_found_shows_no_raw_bytes() -> None:
    """An identifier of control characters is shown escaped."""
    assert str(NotFound("job", "\x00\x1b[31m\ud800")).isprintable()
