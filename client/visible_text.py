"""Makes invisible and direction-changing characters visible, e.g. `‹U+200B›`."""

from __future__ import annotations

import unicodedata

_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_WITHOUT_SHAPE = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Unicode's Default_Ignorable_Code_Point beyond the categories above: fillers, variation selectors."""


def visible(text: str) -> str:
    """The text with control and format characters, except tab and line feed, shown as code points; idempotent."""
    hidden = {ord(sign): f"‹U+{ord(sign):04X}›" for sign in set(text) if _is_hidden(sign)}
    return text.translate(hidden) if hidden else text


def _is_hidden(sign: str) -> bool:
    if sign in "\t\n":
        return False
    number = ord(sign)
    return unicodedata.category(sign) in _CATEGORIES or any(first <= number <= last for first, last in _WITHOUT_SHAPE)
