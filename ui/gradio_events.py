"""Parses calls of the pages' events: a declared event with plain values. Every other call is refused.

Nothing that a browser sends reaches Gradio unchanged: each call is rebuilt from the parsed one. No value in it can be
an object, so none can name a file.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction

PAGE_KEY = re.compile(r"[A-Za-z0-9]{1,64}")
"""A browser's id of an open page; Gradio's `session_hash`."""
FIELDS = frozenset({"data", "event_data", "fn_index", "trigger_id", "session_hash"})
LONGEST_TEXT = 300
LARGEST_NUMBER = 1e9
DETAILS: Mapping[str, frozenset[str]] = {"select": frozenset({"metric"})}
"""Names of the texts in `event_data`, by kind of event; all other events must have none."""

Check = Callable[[Any], bool]


class BadCall(Exception):
    """Raised for a call that our pages do not make; its message never repeats what was sent."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A valid call: index and trigger of a declared event, its values, and the page that made it."""

    page_key: str
    fn_index: int
    trigger_id: int | None
    data: tuple[str | int | float | None, ...]
    event_data: Mapping[str, str] | None

    def as_json(self, session_hash: str) -> bytes:
        """The call as JSON for Gradio, with that `session_hash`."""
        body = {
            "data": list(self.data),
            "event_data": dict(self.event_data) if self.event_data else None,
            "fn_index": self.fn_index,
            "trigger_id": self.trigger_id,
            "session_hash": session_hash,
        }
        return json.dumps(body).encode()


@dataclass(frozen=True, kw_only=True)
class _Event:
    inputs: tuple[Check, ...]
    triggers: frozenset[int | None]
    details: frozenset[str]


class DeclaredEvents:
    """The events of our pages and checks of their inputs, read from Gradio at start."""

    def __init__(self, functions: Mapping[int, BlockFunction]) -> None:
        """Raises TypeError when an event has an input component without a check here."""
        self._events = {index: _event(function) for index, function in functions.items()}

    def understood(self, body: bytes) -> Call:
        """Parse the call in a request's body. Raises BadCall."""
        sent = _json_object(body)
        if not sent.keys() <= FIELDS:
            raise BadCall("fields")
        index, trigger, page_key = sent.get("fn_index"), sent.get("trigger_id"), sent.get("session_hash")
        event = self._events.get(index) if type(index) is int else None
        if event is None or type(index) is not int:
            raise BadCall("event")
        if not (trigger is None or type(trigger) is int) or trigger not in event.triggers:
            raise BadCall("trigger")
        if not isinstance(page_key, str) or not PAGE_KEY.fullmatch(page_key):
            raise BadCall("page")
        return Call(
            page_key=page_key,
            fn_index=index,
            trigger_id=trigger,
            data=_values(event, sent.get("data")),
            event_data=_details(event, sent.get("event_data")),
        )


def is_text(value: object) -> bool:
    """Whether this is a text of at most LONGEST_TEXT characters, valid UTF-8 without NUL."""
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value and _is_utf8(value)


def _event(function: BlockFunction) -> _Event:
    kinds = {kind for _, kind in function.targets}
    return _Event(
        inputs=tuple(_check_of(block) for block in function.inputs),
        triggers=frozenset({None, *(block_id for block_id, _ in function.targets)}),
        details=frozenset().union(*(DETAILS.get(kind, frozenset()) for kind in kinds)),
    )


def _check_of(block: object) -> Check:
    if isinstance(block, gr.Radio):
        choices = {value for _, value in block.choices}
        return lambda value: isinstance(value, str) and value in choices
    if isinstance(block, gr.Dropdown) and not block.multiselect:
        return lambda value: value is None or is_text(value)
    if isinstance(block, gr.Textbox):
        return is_text
    if isinstance(block, gr.Number):
        return _is_number
    raise TypeError(f"{type(block).__name__} must not be an input: what a browser sends for it is not checked")


def _is_number(value: object) -> bool:
    return type(value) in {int, float} and math.isfinite(value) and abs(value) <= LARGEST_NUMBER  # type: ignore[arg-type]


def _values(event: _Event, sent: object) -> tuple[Any, ...]:
    if not isinstance(sent, list) or len(sent) != len(event.inputs):
        raise BadCall("values")
    if not all(check(value) for check, value in zip(event.inputs, sent, strict=True)):
        raise BadCall("values")
    return tuple(sent)


def _details(event: _Event, sent: object) -> Mapping[str, str] | None:
    if sent is None:
        return None
    if not isinstance(sent, dict) or not sent.keys() <= event.details or not all(map(is_text, sent.values())):
        raise BadCall("event data")
    return sent


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadCall("not JSON") from error
    if not isinstance(sent, dict):
        raise BadCall("not an object")
    return sent


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
