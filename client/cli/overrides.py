"""Turns configuration typed by a submitter into the job's config."""

import json
from collections.abc import Sequence
from typing import Any

OPTIONS = {"benchmark": "--benchmark", "resource_class": "--resource-class"}
MARK = "\ufeff"
"""A byte order mark, as Windows' editors put it before a text."""
EXAMPLE = """Write for example --metadata '{"note": "v2"}'."""


class BadOption(Exception):
    """Raised when an option is malformed; the message names it and shows a correct one."""


def parse_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """Parses `key=value` pairs; a value that is valid JSON (a number, true, a list) is taken so, others as text."""
    overrides: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise BadOption(f"--set {pair!r} is not key=value. Write for example --set epochs=5.")
        if key.strip() in OPTIONS:
            raise BadOption(f"--set {key.strip()}=… has an option of its own: {OPTIONS[key.strip()]}.")
        overrides[key.strip()] = _value(value)
    return overrides


def parse_metadata(text: str) -> dict[str, Any]:
    """Parses a JSON object. Raises BadOption."""
    try:
        metadata = json.loads(text.removeprefix(MARK) or "{}")
    except ValueError as error:
        raise BadOption(f"--metadata is not JSON ({error}). {EXAMPLE}") from error
    if not isinstance(metadata, dict):
        raise BadOption(f"--metadata is not a JSON object. {EXAMPLE}")
    return metadata


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
