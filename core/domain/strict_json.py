"""Strict JSON for input from clients: refuses whatever two parsers could read differently."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from core.domain.user_text import MARK, NotText, decoded

MAX_DEPTH = 32
LARGEST_INTEGER = 2**63 - 1


class BadJson(ValueError):
    """Raised when a text breaks a rule of strict JSON; its own text is the rule, for the sender."""


def parse(raw: bytes | str, *, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text. Raises BadJson for texts that break a rule.

    Refused are repeated keys, NaN, infinities, integers beyond 64 bits, NUL characters and lone surrogates.
    """
    try:
        text = decoded(raw) if isinstance(raw, bytes) else raw.removeprefix(MARK)
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
        )
    except BadJson:
        raise
    except NotText as error:
        raise BadJson(str(error)) from error
    except RecursionError as error:
        raise BadJson(f"must be nested at most {max_depth} levels deep") from error
    except json.JSONDecodeError as error:
        raise BadJson(f"is not valid JSON: {error.msg} at character {error.pos}") from error
    _check_shape(value, max_depth)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJson(f"must not have the key {twice[:40]!a} twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise BadJson(f"must not hold {name}: numbers are finite")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson("must not hold a number beyond the range of a double")
    return number


def _integer(text: str) -> int:
    if len(text) > len(str(-LARGEST_INTEGER)) or abs(int(text)) > LARGEST_INTEGER:
        raise BadJson("must not hold an integer of more than 64 bits")
    return int(text)


def _check_shape(value: Any, max_depth: int) -> None:
    """Checks level by level, so that no nesting reaches the interpreter's recursion limit."""
    level, depth = [value], 0
    while level:
        for text in _texts(level):
            _check_text(text)
        level = [child for item in level for child in _children(item)]
        depth += 1
        if depth > max_depth + 1:
            raise BadJson(f"must be nested at most {max_depth} levels deep")


def _texts(level: list[Any]) -> Iterator[str]:
    for item in level:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item


def _children(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise BadJson("must not hold a NUL character")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadJson("must not hold half a character (a lone surrogate)")
