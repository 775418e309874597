"""The fields of reading MLflow calls. A field has one meaning and one format, in addresses and in bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.domain.errors import InvalidInput
from core.domain.tracking_pages import check_condition, check_orders, offset_of, token_for

MOST_LISTED = 100
"""The most runs or experiments in one call."""
MOST_RESULTS = 1000
"""The most results in one answer; further ones come page by page. A metric's history may be longer."""
LONGEST_HISTORY = 25_000
LONGEST_TEXT = 6000
_RUN = re.compile(r"[0-9a-f]{32}")
_EXPERIMENT = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_VIEW = re.compile(r"ACTIVE_ONLY|DELETED_ONLY|ALL")

Form = Callable[[str, str], str]


def _of(pattern: re.Pattern[str], rule: str) -> Form:
    def form(name: str, text: str) -> str:
        if not pattern.fullmatch(text):
            raise InvalidInput.of(name, rule)
        return text

    return form


def _text(name: str, text: str) -> str:
    if len(text) > LONGEST_TEXT or not all(sign.isprintable() or sign in "\t\n\r" for sign in text):
        raise InvalidInput.of(name, f"must be at most {LONGEST_TEXT} printable characters")
    return text


def _filter(name: str, text: str) -> str:
    return check_condition(_text(name, text))


def _page(_name: str, text: str) -> str:
    """Writes the page token anew, so that MLflow gets only tokens in its own format."""
    return token_for(offset_of(text)) if text else ""


def _results(name: str, text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise InvalidInput.of(name, "must be a whole number")
    return text


run_id = _of(_RUN, "must be the id of a run")
_experiment = _of(_EXPERIMENT, "must be the id of an experiment")

FORMS: Mapping[str, Form] = {
    "run_id": run_id,
    "run_uuid": run_id,
    "run_ids": run_id,
    "experiment_id": _experiment,
    "experiment_ids": _experiment,
    "experiment_name": _text,
    "metric_key": _text,
    "path": _text,
    "filter": _filter,
    "order_by": _text,
    "max_results": _results,
    "start_step": _results,
    "end_step": _results,
    "page_token": _page,
    "view_type": _of(_VIEW, "must be ACTIVE_ONLY, DELETED_ONLY or ALL"),
    "run_view_type": _of(_VIEW, "must be ACTIVE_ONLY, DELETED_ONLY or ALL"),
}
LISTS = frozenset({"run_ids", "experiment_ids", "order_by"})
NUMBERS = frozenset({"max_results"})
OLD_NAMES = {"run_uuid": "run_id"}
"""MLflow accepts both names and uses the first if they differ, so only one is sent."""


def checked_query(pairs: Sequence[tuple[str, str]], known: Sequence[str]) -> list[tuple[str, str]]:
    """The parameters of an address. Each must be known, well-formed and, unless it is a list, given once.

    Raises InvalidInput.
    """
    found: list[tuple[str, str]] = []
    for name, text in pairs:
        if name not in known:
            raise InvalidInput.of(name[:80], "is not a parameter of this call")
        sent = OLD_NAMES.get(name, name)
        if name not in LISTS and sent in dict(found):
            raise InvalidInput.of(name, "must be there once")
        found.append((sent, _bounded(name, FORMS[name](name, text), _most(known))))
    if any(sum(name == of for of, _text in found) > MOST_LISTED for name in LISTS):
        raise InvalidInput.of("query", f"at most {MOST_LISTED} at once")
    check_orders([text for name, text in found if name == "order_by"])
    return found


def checked(body: Any, known: Sequence[str]) -> dict[str, Any]:
    """The fields of a body. Each must be known and well-formed. Raises InvalidInput."""
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise InvalidInput.of("body", "must be an object")
    found = {name: _field(name, value, known) for name, value in body.items()}
    check_orders(found.get("order_by", []))
    return found


def _field(name: str, value: Any, known: Sequence[str]) -> Any:
    if name not in known:
        raise InvalidInput.of(name[:80], "is not a field of this call")
    if name in LISTS:
        if not isinstance(value, list) or len(value) > MOST_LISTED or not all(isinstance(one, str) for one in value):
            raise InvalidInput.of(name, f"must be a list of at most {MOST_LISTED} texts")
        return [FORMS[name](name, one) for one in value]
    if name in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidInput.of(name, "must be a whole number")
        return int(_bounded(name, FORMS[name](name, str(value)), _most(known)))
    if not isinstance(value, str):
        raise InvalidInput.of(name, "must be text")
    return FORMS[name](name, value)


def _most(known: Sequence[str]) -> int:
    return LONGEST_HISTORY if "metric_key" in known else MOST_RESULTS


def _bounded(name: str, text: str, most: int) -> str:
    return str(min(int(text), most)) if name in NUMBERS else text
