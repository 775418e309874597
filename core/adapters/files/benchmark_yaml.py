"""Reads a benchmark.yaml and names every rule that it breaks, each with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.domain.benchmark import Benchmark, MetricRule
from core.domain.benchmark_check import Finding

NAME = "benchmark.yaml"
MAX_BYTES = 256 * 1024
SAVE_AS_UTF8 = "is no text in UTF-8; save it as UTF-8"
WORDS = {
    "missing": "is missing: write it",
    "extra_forbidden": f"is not known and would do nothing. Remove it; known are {', '.join(MetricRule.model_fields)}",
    "name": "must begin with a small letter, then have small letters, digits, '-' and '_', at most 64 in all",
    "data": "must be the name of a folder beside this file, of ASCII letters, digits, '-' and '_'",
}
"""Instead of pydantic's own words, by its kind of fault or by the key whose pattern does not match."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a benchmark.yaml says. `data` and `categories` are there as far as they can be read, to go on with."""

    benchmark: Benchmark | None = None
    """None if there are findings."""
    findings: Sequence[Finding] = ()
    data: str | None = None
    categories: Sequence[str] = ()
    is_verified: bool = False
    """Whether the platform is to score it, so that its data shows no labels."""


def read_yaml(path: Path) -> Settings:
    """The benchmark of this file, or what is wrong with the file."""
    try:
        text = _bounded(path)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:  # a bad date is a ValueError
        return Settings(findings=[_unreadable(error)])
    if node is None or not isinstance(document, dict):
        return Settings(findings=[_finding("it must be a mapping of keys: name, title, primary_metric, metrics …")])
    findings = [*_keys_twice(node), *_rules(document, node)]
    if "name" in document and document["name"] != path.parent.name:
        own, folder = repr(str(document["name"])[:80]), repr(path.parent.name)
        findings.append(_finding(f"its name {own} differs from its folder's, {folder}", _line(node, ("name",))))
    categories = document.get("categories")
    return Settings(
        benchmark=None if findings else Benchmark.model_validate(document),
        findings=findings,
        data=found if _is_folder(found := document.get("data", Benchmark.model_fields["data"].default)) else None,
        categories=[name for name in categories if _is_folder(name)] if isinstance(categories, list) else (),
        is_verified=document.get("scoring") == "verified",
    )


def _is_folder(name: object) -> bool:
    """Whether it can be the name of a folder beside the file; nothing that leads elsewhere."""
    return isinstance(name, str) and not {"/", "\0"} & set(name) and name not in {"", ".", ".."} and len(name) < 256  # noqa: PLR2004


def _bounded(path: Path) -> bytes:
    """The file's bytes. Raises ValueError if it is larger than MAX_BYTES."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    return raw


def _unreadable(error: Exception) -> Finding:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return _finding(f"is no YAML: {error.problem}", error.problem_mark.line + 1)
    if isinstance(error, yaml.reader.ReaderError):
        return _finding(f"{SAVE_AS_UTF8} ({error.reason})")
    if isinstance(error, RecursionError):
        return _finding("is nested too deep")
    if isinstance(error, FileNotFoundError):
        return _finding("is not there; write one (docs/benchmarks.md)")
    if isinstance(error, OSError):
        return _finding(f"cannot be read: {error.strerror}")
    return _finding(str(error)[:300])


def _keys_twice(node: yaml.Node) -> Iterator[Finding]:
    """Keys of the file itself and of its metrics that occur twice: of these the last would count, silently."""
    for mapping in _mappings(node):
        seen = set()
        for key, _value in mapping.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                yield _finding(f"{key.value[:80]}: is there twice; leave one out", key.start_mark.line + 1)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _key, value in node.value:
            if isinstance(value, yaml.SequenceNode):
                yield from (one for one in value.value if isinstance(one, yaml.MappingNode))


def _rules(document: Mapping[Any, Any], node: yaml.Node) -> Iterator[Finding]:
    vain = Benchmark.vain_settings(document)
    for key, words in vain.items():
        yield _finding(words, _line(node, (key,)))
    try:
        Benchmark.model_validate({key: value for key, value in document.items() if key not in vain})
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            if not (fault["type"] == "too_short" and document[fault["loc"][0]]):  # its parts have faults of their own
                yield _finding(_words(fault), _line(node, fault["loc"]))


def _words(fault: Mapping[str, Any]) -> str:
    where = ".".join(map(str, fault["loc"]))
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "string_pattern_mismatch":
        message = WORDS.get(str(fault["loc"][0]), message)
    message = WORDS.get(fault["type"], message)
    return f"{where}: {message}" if where else message


def _line(node: yaml.Node, place: Sequence[Any]) -> int | None:
    """The line of the deepest part of `place` that is in the file; None if none is."""
    line = None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _finding(rule: str, line: int | None = None) -> Finding:
    return Finding(path=NAME, rule=rule, line=line)
