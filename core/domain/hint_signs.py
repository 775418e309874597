"""What a hint is made of: a sign in the output of a run, and a sentence on what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """What the output must match, and the sentence for it.

    `sentence` must put nothing of the match into the text but names that the sign bounds to letters, digits, `_`, `.`.
    """

    sign: re.Pattern[str]
    sentence: Callable[[re.Match[str]], str]


def plain_hint(pattern: str, sentence: str) -> Hint:
    """A hint whose sentence is always the same; `^` is the start of a line."""
    return Hint(sign=re.compile(pattern, re.MULTILINE), sentence=lambda _match: sentence)
