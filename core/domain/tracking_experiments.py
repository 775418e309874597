"""The experiments that a user may see: those of the site's boards. Searches are answered from these alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from core.domain.errors import InvalidInput
from core.domain.tracking_call import TrackingCall
from core.domain.tracking_pages import offset_of, token_for

ONE_PAGE = 1000
_NAMED = re.compile(r"\s*(?:attributes?\.)?name\s+(I?LIKE)\s+(['\"])(%?)([^'\"%\\]*)(%?)\2\s*", re.IGNORECASE)
_ORDER = re.compile(r"(name|creation_time|last_update_time|experiment_id)(?:\s+(ASC|DESC))?", re.IGNORECASE)
FILTER_RULE = "must be name LIKE '%text%' or name ILIKE '%text%': other filters are for admins"
ORDER_RULE = "must be name, creation_time, last_update_time or experiment_id, with ASC or DESC"


def is_active(experiment: Mapping[str, Any]) -> bool:
    """Whether it was not deleted in MLflow."""
    return experiment.get("lifecycle_stage") == "active"


def found_among(experiments: Collection[Mapping[str, Any]], call: TrackingCall) -> Mapping[str, Any]:
    """MLflow's answer to a search among these experiments alone. Raises InvalidInput."""
    fields = _fields(call)
    wanted = _condition(fields.get("filter", ""))
    found = [one for one in experiments if is_active(one) and wanted(str(one.get("name", "")))]
    for order in reversed(_orders(fields)):
        name, is_reversed = _order(order)
        found.sort(key=lambda one, name=name: _key(name, one), reverse=is_reversed)  # type: ignore[misc]
    size = int(fields.get("max_results", ONE_PAGE))
    if size < 1:
        raise InvalidInput.of("max_results", "must be at least 1")
    begin = offset_of(fields.get("page_token", ""))
    answer: dict[str, Any] = {"experiments": found[begin : begin + size]}
    if begin + size < len(found):
        answer["next_page_token"] = token_for(begin + size)
    return answer


def _fields(call: TrackingCall) -> Mapping[str, Any]:
    if call.body is not None:
        return call.body
    orders = [value for name, value in call.query if name == "order_by"]
    return {**dict(call.query), "order_by": orders}


def _orders(fields: Mapping[str, Any]) -> Sequence[str]:
    return fields.get("order_by") or ["creation_time DESC", "experiment_id DESC"]


def _condition(text: str) -> Callable[[str], bool]:
    if not text.strip():
        return lambda _name: True
    found = _NAMED.fullmatch(text)
    if found is None:
        raise InvalidInput.of("filter", FILTER_RULE)
    operator, _quote, opens, words, closes = found.groups()
    fold = str.casefold if operator.upper() == "ILIKE" else str
    return lambda name: _matches(fold(name), fold(words), opens=bool(opens), closes=bool(closes))


def _matches(name: str, words: str, *, opens: bool, closes: bool) -> bool:
    if opens:
        return words in name if closes else name.endswith(words)
    return name.startswith(words) if closes else name == words


def _order(text: str) -> tuple[str, bool]:
    found = _ORDER.fullmatch(text.strip())
    if found is None:
        raise InvalidInput.of("order_by", ORDER_RULE)
    return found[1].lower(), (found[2] or "").upper() == "DESC"


def _key(name: str, experiment: Mapping[str, Any]) -> Any:
    value = experiment.get(name, "")
    if name == "name":
        return str(value)
    return int(value) if str(value).isdecimal() else 0
