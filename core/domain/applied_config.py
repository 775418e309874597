"""A submission's config with its job's overrides: as one document, and flattened to a bounded number of params."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from core.domain.metric_names import NAME_BYTES, composed, name_fault
from core.domain.platform_names import CONFIG
from core.domain.report_notes import cut, shown_name
from core.domain.visible_text import visible

FILE = "leadersboard/config.json"
"""Where the document is among a run's files."""
MOST_PARAMS = 100
MOST_CHARS = 500
SEED_NAMES = ("seed", "random_seed", "seed_everything", "manual_seed", "random_state")
NAMED = 5
HIDDEN = "(hidden)"
_ODD = re.compile(r"[^\w\-. :]+")
_SECRET = re.compile(
    r"(?:^|[_\-.])(?:password|passwd|secret|credentials?|(?:api|access|private|secret)[_\-]?key|(?:auth|access|api)[_\-]?token)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedConfig:
    """The config that the program was given. Whether the program used it is not known."""

    document: Mapping[str, Any]
    """Each override stands in place of the config's value of the same name at the top."""
    params: Mapping[str, str]
    """At most MOST_PARAMS values as text of at most MOST_CHARS characters, overridden ones first, named `config/…`.

    All users who may open MLflow see params, so values whose names say that they are secret are HIDDEN.
    """
    notes: Sequence[str]
    """Sentences about what is no param; all of it is in the document."""

    @property
    def sha256(self) -> str:
        """Of the document as JSON with sorted keys: equal for equal configs."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()

    @property
    def file(self) -> bytes:
        """The document as JSON in UTF-8."""
        text = json.dumps(self.document, indent=2, ensure_ascii=False)
        return f"{text}\n".encode("utf-8", "replace")

    @property
    def seed(self) -> str | None:
        """The value of one of SEED_NAMES, at the top before all others; None if the config names none."""
        at_the_top = [self.document[name] for name in SEED_NAMES if name in self.document]
        deeper = (value for path, value in _flat(self.document) if path and path[-1] in SEED_NAMES)
        return next((_text(value) for value in chain(at_the_top, deeper) if isinstance(value, int | str)), None)


def applied(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> AppliedConfig:
    """The config with its overrides; both are foreign, and no deeper than Python's recursion goes."""
    document = {**config, **overrides}
    first = {name: document[name] for name in overrides}
    params: dict[str, str] = {}
    refused, collided, total = [], [], 0
    for path, value in _flat(first | document):
        total += 1
        written = ".".join(path)
        name = _param_name(written)
        if name_fault(name, of_metric=False):
            refused.append(written)
        elif name in params:
            collided.append(written)
        elif len(params) < MOST_PARAMS:
            params[name] = HIDDEN if _SECRET.search(path[-1]) else _text(value)
    notes = [
        *_listed("the name is not one that MLflow takes", refused),
        *_listed("another one has the same name once nested names are joined by dots", collided),
    ]
    if total - len(refused) - len(collided) > len(params):
        notes.append(f"The config has {total} values. The first {len(params)} are params; {FILE} has all of them.")
    return AppliedConfig(document=document, params=params, notes=notes)


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value with its path; lists, and mappings without anything in them, are values."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, (*path, str(name)))
    elif path:
        yield path, value


def _param_name(written: str) -> str:
    """The name of a param: signs that MLflow refuses become `_`, and a long one is cut."""
    name = CONFIG + _ODD.sub("_", written.encode("utf-8", "replace").decode())
    return composed(name.encode()[:NAME_BYTES].decode("utf-8", "ignore"))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = cut(text, MOST_CHARS).replace("\x00", visible("\x00"))
    return cut(shown, MOST_CHARS).encode("utf-8", "replace").decode()


def _listed(why: str, names: Sequence[str]) -> list[str]:
    """One sentence about some values that are no params; none without them."""
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"No param of the config's {', '.join(map(shown_name, names[:NAMED]))}{more}: {why}. {FILE} has all."]
