"""Parses `metrics.json` as hostile input: good entries count, bad ones are left out with a note (TRK-1, FLD-3)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.domain.metric_names import composed, name_fault
from core.domain.platform_names import CONFIG, claims_config, imitates
from core.domain.report_notes import Notes, cut, shown_name
from core.domain.visible_text import visible

MAX_BYTES = 1024 * 1024
MAX_PARAMS = 100
MAX_METRICS = 500
MAX_PARAM_CHARS = 500
NAMED = 8
LONGEST_INTEGER = 400
"""Digits. A longer integer is beyond the range of a double, and slow to read."""
KEYS = ("params", "metrics", "performance")
EXAMPLE = '{"params": {…}, "metrics": {"image_auc": 0.93}}'
TWICE = "this name is there more than once, with different values. Write it once."
LEAVE = "or leave the name out"
OTHER_NAME = "Use another name."

EntryT = TypeVar("EntryT")


class BadMetrics(ValueError):
    """Raised when `metrics.json` is not JSON, or has no object `metrics`; the text is for the submitter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunMetrics:
    """What a submission reports: params as text, finite metrics and finite performance figures."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    performance: Mapping[str, float]
    notes: tuple[str, ...] = ()
    """Sentences about what does not count, or not as written; bounded."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Metrics that do not count, by name, each with the reason and what to write."""

    @property
    def own_performance(self) -> Mapping[str, float]:
        """The performance figures whose names are not, and do not look like, the platform's own."""
        return {name: value for name, value in self.performance.items() if not imitates(name)}


class _Object(dict[str, Any]):
    """A JSON object that also keeps its pairs as written: a repeated key is not lost."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def parse_metrics(raw: bytes) -> RunMetrics:
    """The good entries of `metrics.json`, and notes on the others. Raises BadMetrics with the broken rule."""
    if len(raw) > MAX_BYTES:
        raise BadMetrics(f"metrics.json is larger than {MAX_BYTES} bytes")
    document, notes = _document(raw), Notes()
    metrics = _numbers(document["metrics"], "metrics", notes)
    performance = _numbers(_part(document, "performance", notes), "performance", notes)
    params = _params(_part(document, "params", notes), notes)
    if unknown := [name for name in document if name not in KEYS]:
        notes.add(f"metrics.json: {_listed(unknown)} ignored; known keys are {', '.join(KEYS)}.")
    if imitating := [name for name in performance if imitates(name)]:
        notes.add(f"performance: {_listed(imitating)} left out; the platform measures this itself. Use another name.")
    return RunMetrics(
        params=params, metrics=metrics, performance=performance, notes=notes.sentences, left_out=notes.left_out
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(shown_name, names[:NAMED])) + more


def _document(raw: bytes) -> _Object:
    """The whole file. Raises BadMetrics unless it is an object that has an object `metrics`."""
    document = _decode(raw)
    if not isinstance(document, _Object):
        raise BadMetrics(f"metrics.json must be a JSON object: {EXAMPLE}")
    if len(document.pairs) != len(document):
        raise BadMetrics("metrics.json repeats a key; write each of params, metrics and performance once")
    if "metrics" not in document:
        seen = _listed(list(document)) or "nothing"
        raise BadMetrics(f"metrics.json lacks the key 'metrics' (it has {seen}); write {EXAMPLE}")
    if not isinstance(document["metrics"], _Object):
        raise BadMetrics(f"metrics must be a JSON object: {EXAMPLE}")
    return document


def _decode(raw: bytes) -> Any:
    """Reads UTF-8, UTF-16 and UTF-32, with and without a byte order mark."""
    try:
        text = raw.decode(json.detect_encoding(raw))
        return json.loads(text, object_pairs_hook=_Object, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise BadMetrics("metrics.json is not UTF-8; write it with json.dump") from error
    except RecursionError as error:
        raise BadMetrics("metrics.json is nested too deeply") from error
    except ValueError as error:
        raise BadMetrics(f"metrics.json is not valid JSON: {str(error)[:200]}; write it with json.dump") from error


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= LONGEST_INTEGER else float(text)


def _part(document: _Object, key: str, notes: Notes) -> _Object:
    """An object of the document; an empty one, and a note, if it is missing (params) or something else."""
    found = document.get(key)
    if isinstance(found, _Object):
        return found
    if key in document:
        notes.add(f"{key} in metrics.json is not a JSON object and was left out.")
    elif key == "params":
        notes.add('metrics.json has no params: write {"method": …, "epochs": …} there, or {}.')
    return _Object([])


def _numbers(found: _Object, where: str, notes: Notes) -> dict[str, float]:
    return _entries(found, where, notes, most=MAX_METRICS, read=_number)


def _entries(
    found: _Object, where: str, notes: Notes, *, most: int, read: Callable[[Any], EntryT]
) -> dict[str, EntryT]:
    """The good entries by composed name, at most `most`; every other one has a note."""
    good: dict[str, EntryT] = {}
    clashed: set[str] = set()
    over = 0
    for written, value in found.pairs:
        name = composed(written)
        try:
            entry = _entry(name, value, where, read)
        except _LeftOut as error:
            notes.leave_out(where, name, value, str(error))
            continue
        if name in clashed or good.get(name, entry) != entry:
            clashed.add(name)
            good.pop(name, None)
            notes.leave_out(where, name, value, TWICE)
        elif name in good or len(good) < most:
            good[name] = entry
        else:
            over += 1
    if over:
        notes.add(f"{where} has more than {most} entries: the first {most} count, {over} were left out. Write fewer.")
    return good


class _LeftOut(Exception):
    """Raised for one entry that does not count; the text is the reason and what to write."""


def _entry(name: str, value: Any, where: str, read: Callable[[Any], EntryT]) -> EntryT:
    if fault := name_fault(name, of_metric=where == "metrics"):
        raise _LeftOut(fault)
    if where == "params" and claims_config(name):
        raise _LeftOut(f"names that begin with {CONFIG!r} are the platform's own, for the config file. {OTHER_NAME}")
    return read(value)


def _number(value: Any) -> float:
    if isinstance(value, str):
        raise _LeftOut(f"it is text. Write a number: float(x), {LEAVE}.")
    if isinstance(value, bool):
        raise _LeftOut(f"it is no number. Write 1 or 0: int(x), {LEAVE}.")
    if value is None:
        raise _LeftOut(f"it is no number. Write a number, {LEAVE}.")
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list"
        raise _LeftOut(f"it is {kind}. Write one number for each name, e.g. its mean: float(x).")
    if not math.isfinite(number := _double(value)):
        raise _LeftOut(f"it is not finite. Write a finite number, {LEAVE}.")
    return number


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _params(found: _Object, notes: Notes) -> dict[str, str]:
    """Params as text; lists and objects as JSON. What is too long is cut, with a note."""
    full = _entries(found, "params", notes, most=MAX_PARAMS, read=_param)
    for name, text in full.items():
        if len(text) > MAX_PARAM_CHARS:
            notes.add(f"params[{shown_name(name)}] has {len(text)} characters and was cut to {MAX_PARAM_CHARS}.")
    return {name: cut(text, MAX_PARAM_CHARS) for name, text in full.items()}


def _param(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError as error:
        raise _LeftOut("it is nested too deeply. Write it flatter.") from error
    return text.replace("\x00", visible("\x00")).encode("utf-8", "replace").decode()
