"""Parses `metrics.json` as hostile input: strict, bounded and finite, or refused with a sentence (TRK-1, TRK-2)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.platform_names import SYSTEM, claims_system, imitates

MAX_BYTES = 1024 * 1024
MAX_PARAMS = 100
MAX_METRICS = 500
MAX_PARAM_CHARS = 500
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-. :/]{0,199}")
"""MLflow's own rule for names, without a leading sign or blank; `..`, `/./` and `//` are refused as well."""


class BadMetrics(ValueError):
    """Raised when `metrics.json` breaks a rule; the text names the rule, for the submitter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunMetrics:
    """What a submission reports: params as text, finite metrics and finite performance figures."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    performance: Mapping[str, float]

    @property
    def own_performance(self) -> Mapping[str, float]:
        """The performance figures whose names are not, and do not look like, the platform's own."""
        return {name: value for name, value in self.performance.items() if not imitates(name)}


def parse_metrics(raw: bytes) -> RunMetrics:
    """The parsed content of `metrics.json`. Raises BadMetrics with the first broken rule."""
    if len(raw) > MAX_BYTES:
        raise BadMetrics(f"metrics.json is larger than {MAX_BYTES} bytes")
    document = _object(_decode(raw), "metrics.json")
    unknown = sorted(set(document) - {"params", "metrics", "performance"})
    if unknown:
        raise BadMetrics(f"metrics.json has the unknown key {unknown[0][:80]!r}; allowed: params, metrics, performance")
    for key in ("params", "metrics"):
        if key not in document:
            raise BadMetrics(f"metrics.json lacks the key {key!r}")
    return RunMetrics(
        params=_params(document["params"]),
        metrics=_reported(document["metrics"]),
        performance=_numbers(document.get("performance", {}), "performance"),
    )


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
    except BadMetrics:
        raise
    except UnicodeDecodeError as error:
        raise BadMetrics("metrics.json is not UTF-8") from error
    except RecursionError as error:
        raise BadMetrics("metrics.json is nested too deeply") from error
    except ValueError as error:  # JSONDecodeError, and integers with too many digits
        raise BadMetrics(f"metrics.json is not valid JSON: {str(error)[:200]}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadMetrics("metrics.json repeats a key")
    return found


def _finite(text: str) -> float:
    """The number. Raises BadMetrics for constants (NaN, Infinity) and for literals that overflow (1e999)."""
    number = float(text)
    if not math.isfinite(number):
        raise BadMetrics(f"metrics.json holds {text[:20]}; numbers must be finite")
    return number


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadMetrics(f"{where} must be a JSON object")
    return value


def _name(name: str, where: str) -> str:
    if not NAME.fullmatch(name) or ".." in name or any(part in {"", "."} for part in name.split("/")):
        raise BadMetrics(
            f"{where} has the name {name[:80]!r}; allowed are letters, digits, '_', '-', '.', ':', '/' and space, "
            "up to 200, without '..'"
        )
    return name


def _params(value: Any) -> dict[str, str]:
    found = _object(value, "params")
    if len(found) > MAX_PARAMS:
        raise BadMetrics(f"params has more than {MAX_PARAMS} entries")
    return {_name(name, "params"): _param(name, item) for name, item in found.items()}


def _param(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else None if isinstance(value, dict | list) else json.dumps(value)
    if text is None or len(text) > MAX_PARAM_CHARS:
        raise BadMetrics(f"params[{name[:80]!r}] must be text, a number, true, false or null, up to 500 characters")
    return text.encode("utf-8", "replace").decode()


def _numbers(value: Any, where: str) -> dict[str, float]:
    found = _object(value, where)
    if len(found) > MAX_METRICS:
        raise BadMetrics(f"{where} has more than {MAX_METRICS} entries")
    return {_name(name, where): _number(where, name, item) for name, item in found.items()}


def _reported(value: Any) -> dict[str, float]:
    found = _numbers(value, "metrics")
    taken = next(filter(claims_system, found), None)
    if taken:
        raise BadMetrics(
            f"metrics has the name {taken[:80]!r}; names that begin with {SYSTEM!r} are the platform's own"
        )
    return found


def _number(where: str, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadMetrics(f"{where}[{name[:80]!r}] is not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise BadMetrics(f"{where}[{name[:80]!r}] is too large") from error
