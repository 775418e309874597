"""Finds what a config file in YAML or JSON asks for under `weights`, without building anything else of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import yaml

from core.domain.user_text import NotText, decoded

KEY = "weights"
MOST_BYTES = 256 * 1024
"""A larger file is not read."""
MOST_ITEMS = 200
MOST_LEVELS = 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.SafeLoader("")
_TEXT = "tag:yaml.org,2002:str"


def asked_in_config(raw: bytes) -> list[str | None] | str | None:
    """The items of the list `weights` at the top of the file, None for each that is no text; or the one text there.

    None if there is no such key, or it holds something else, or the file cannot be read: a config file is the program's
    own affair. Aliases are not followed, so a small file stays small.
    """
    found: list[str | None] | str | None = None
    with suppress(NotText, yaml.YAMLError, ValueError):
        text = decoded(raw) if len(raw) <= MOST_BYTES else ""
        events = yaml.parse(text if KEY in text else "", Loader=_LOADER)
        if isinstance(_first(events), yaml.MappingStartEvent):
            found = _of_mapping(events)
    return found


def _first(events: Iterator[yaml.Event]) -> yaml.Event | None:
    """The first event of the document itself."""
    frame = (yaml.StreamStartEvent, yaml.DocumentStartEvent)
    return next((event for event in events if not isinstance(event, frame)), None)


def _of_mapping(events: Iterator[yaml.Event]) -> list[str | None] | str | None:
    found: list[str | None] | str | None = None
    for key in events:
        if isinstance(key, yaml.MappingEndEvent):
            break
        is_ours = isinstance(key, yaml.ScalarEvent) and key.value == KEY
        _skip(key, events)
        value = next(events)
        if is_ours and isinstance(value, yaml.SequenceStartEvent):
            found = _items(events)
            continue
        _skip(value, events)
        if is_ours:
            found = _text(value)
    return found


def _items(events: Iterator[yaml.Event]) -> list[str | None]:
    """The items of a list that has begun; of a long one the first ones."""
    found: list[str | None] = []
    for item in events:
        if isinstance(item, yaml.SequenceEndEvent):
            break
        _skip(item, events)
        if len(found) < MOST_ITEMS:
            found.append(_text(item))
    return found


def _text(event: yaml.Event) -> str | None:
    """The text of a scalar; None for a number, a date, nothing, and whatever is no scalar."""
    if not isinstance(event, yaml.ScalarEvent):
        return None
    tag = event.tag or _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
    return str(event.value) if tag in {_TEXT, "!"} else None


def _skip(begun: yaml.Event, events: Iterator[yaml.Event]) -> None:
    """Goes to the end of a node that has begun. Raises ValueError below MOST_LEVELS, where parsing becomes slow."""
    depth = int(isinstance(begun, yaml.CollectionStartEvent))
    while depth:
        event = next(events)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise ValueError("nested too deeply")
