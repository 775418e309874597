"""Puts the data that `make` has written into an empty ledger and empty folders."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import redis

HERE = Path(__file__).parent
VERSIONS = sorted(path.name for path in HERE.iterdir() if (path / "ledger.json").exists())


def restore(version: str, client: redis.Redis, root: Path) -> Mapping[str, Mapping[str, Any]]:
    """Returns what the API answered then: by user, then by path."""
    text = (HERE / version / "ledger.json").read_text().replace("/shared", str(root))
    for key, (kind, value) in json.loads(text).items():
        WRITE[kind](client, key, value)
    with tarfile.open(HERE / version / "shared.tar.gz") as archive:
        archive.extractall(root, filter="data")
    answers: Mapping[str, Mapping[str, Any]] = json.loads((HERE / version / "answers.json").read_text())
    return answers


def _stream(client: redis.Redis, key: str, entries: list[tuple[str, dict[str, str]]]) -> None:
    for number, fields in entries:
        client.xadd(key, fields, id=number)  # type: ignore[arg-type]


WRITE: Mapping[str, Callable[[redis.Redis, str, Any], object]] = {
    "string": lambda client, key, value: client.set(key, value),
    "hash": lambda client, key, value: client.hset(key, mapping=value),
    "list": lambda client, key, value: client.rpush(key, *value),
    "set": lambda client, key, value: client.sadd(key, *value),
    "zset": lambda client, key, value: client.zadd(key, dict(value)),
    "stream": _stream,
}
