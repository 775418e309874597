"""Characters without a shape of their own."""

import pytest

import client.visible_text
import core.domain.visible_text
from client.visible_text import visible

pytestmark = pytest.mark.unit


@pytest.mark.slow
def test_both_houses_show_the_same_characters() -> None:
    """The client stands alone, so the rule is there twice: it must not drift apart."""
    every = "".join(map(chr, range(0x110000)))
    assert client.visible_text.visible(every) == core.domain.visible_text.visible(every)
    assert visible(visible(every)) == visible(every)
