"""Reads a submission's config file, YAML or JSON, as hostile input: no aliases, nothing built but plain values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from core.domain.user_text import NotText, decoded

MOST_BYTES = 4 * 1024 * 1024
"""A larger file is not read."""
MOST_LEVELS = 50
LONGEST_NUMBER = 64
"""Characters. A longer number stays text: reading it may take time that grows with the square of its length."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.SafeLoader("")
_NUMBERS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null")}


class NotRead(ValueError):
    """Raised for a config file that is not read here; its own text is the reason. Its program may well read it."""


def config_document(path: Path) -> dict[str, Any]:
    """The mapping in a config file; an empty one for an empty file. Raises NotRead.

    Numbers, truth values and nothing are taken as YAML 1.1 does; everything else is text: dates, tags, numbers that are
    not finite.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotRead(f"the config file could not be read ({error.strerror})") from error
    if len(raw) > MOST_BYTES:
        raise NotRead(f"the config file is larger than {MOST_BYTES} bytes")
    try:
        found = _document(yaml.parse(decoded(raw), Loader=_LOADER))
    except NotText as error:
        raise NotRead(f"the config file {error}") from error
    except yaml.YAMLError as error:
        raise NotRead("the config file is neither YAML nor JSON") from error
    if not isinstance(found, dict):
        raise NotRead("the config file holds no mapping of names to values")
    return found


def _document(events: Iterator[yaml.Event]) -> Any:
    """The first document of a stream; an empty mapping if there is none, or if it is empty."""
    for event in events:
        if isinstance(event, yaml.StreamEndEvent):
            break
        if not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            value = _value(event, events, 0)
            return {} if value is None else value
    return {}


def _value(event: yaml.Event, events: Iterator[yaml.Event], level: int) -> Any:
    if level > MOST_LEVELS:
        raise NotRead(f"the config file is nested more than {MOST_LEVELS} levels deep")
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, level)
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(item, events, level + 1) for item in _until(yaml.SequenceEndEvent, events)]
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    raise NotRead("the config file uses anchors and aliases (& and *), which are not followed here")


def _mapping(events: Iterator[yaml.Event], level: int) -> dict[str, Any]:
    """Of a name that is there twice the last value counts, as for YAML's own readers."""
    found: dict[str, Any] = {}
    for key in _until(yaml.MappingEndEvent, events):
        if not isinstance(key, yaml.ScalarEvent):
            raise NotRead("the config file has a name that is no text")
        found[str(key.value)] = _value(next(events), events, level + 1)
    return found


def _until(end: type[yaml.Event], events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    """The events that begin a node, up to the end of their collection; the caller reads the rest of each node."""
    return takewhile(lambda event: not isinstance(event, end), events)


def _scalar(event: yaml.ScalarEvent) -> Any:
    text = str(event.value)
    tag = event.tag or _RESOLVER.resolve(yaml.ScalarNode, text, event.implicit)  # type: ignore[no-untyped-call]
    if tag not in _NUMBERS or len(text) > LONGEST_NUMBER:
        return text
    try:
        value = yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, text))
    except (yaml.YAMLError, ValueError, KeyError):
        return text
    return text if isinstance(value, float) and not math.isfinite(value) else value
