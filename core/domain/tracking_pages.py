"""Checks page tokens and search conditions before MLflow gets them: some make it fail."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence

from core.domain import strict_json
from core.domain.errors import InvalidInput

TOKEN_RULE = "must be a token of an earlier answer"  # noqa: S105 no secret
LAST_OFFSET = 10**9
LONGEST_TOKEN = 200
MOST_CONDITIONS = 20
MOST_ORDERS = 10
"""Each condition and each order is one join in MLflow's store, which allows at most 64."""
_LONG_NUMBER = re.compile(r"[0-9]{19}")
"""Numbers that no 64-bit integer can hold."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_AND = re.compile(r"\bAND\b", re.IGNORECASE)


def offset_of(token: str) -> int:
    """The offset in a page token of an earlier MLflow answer; 0 without one. Raises InvalidInput."""
    if not token:
        return 0
    try:
        found = strict_json.parse(base64.b64decode(token[: LONGEST_TOKEN + 1], validate=True))
    except ValueError as error:  # no base64, or no JSON
        raise InvalidInput.of("page_token", TOKEN_RULE) from error
    offset = found.get("offset") if isinstance(found, dict) and set(found) == {"offset"} else None
    if isinstance(offset, bool) or not isinstance(offset, int) or not 0 <= offset <= LAST_OFFSET:
        raise InvalidInput.of("page_token", TOKEN_RULE)
    return offset


def token_for(offset: int) -> str:
    """A page token in MLflow's own format."""
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def check_condition(text: str) -> str:
    """A filter that MLflow's store can execute; returned unchanged. Raises InvalidInput."""
    bare = _QUOTED.sub("''", text)
    if _LONG_NUMBER.search(bare):
        raise InvalidInput.of("filter", "must have numbers of at most 18 digits")
    if len(_AND.findall(bare)) >= MOST_CONDITIONS:
        raise InvalidInput.of("filter", f"must have at most {MOST_CONDITIONS} conditions")
    return text


def check_orders(orders: Sequence[str]) -> None:
    """Raises InvalidInput."""
    if len(orders) > MOST_ORDERS:
        raise InvalidInput.of("order_by", f"must be at most {MOST_ORDERS}")
