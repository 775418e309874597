"""Texts as editors and shells save them."""

from __future__ import annotations

import codecs

import pytest

from core.domain.user_text import NotText, decoded

pytestmark = pytest.mark.unit

TEXT = "name: \u50b7\u691c\u51fa\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    ],
)
def test_a_text_is_read_with_and_without_a_byte_order_mark(raw: bytes) -> None:
    assert decoded(raw) == TEXT


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode("cp932"),
        b"\xff\xfe\x00",
        b"\xff\xfe\x00\xd8",
        b"\xc3",
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-32"),
    ],
)
def test_anything_else_says_how_to_save(raw: bytes) -> None:
    with pytest.raises(NotText, match="save it as UTF-8"):
        decoded(raw)
