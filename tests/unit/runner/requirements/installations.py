"""An index, a cache, and what was installed."""

from __future__ import annotations

from pathlib import Path

from runner.requirements.cache import DependencyCache
from runner.requirements.index import Index

INDEX = Index(urls=("https://ann:secret@index.example:8443/simple", "http://other.example/simple"))


WHEEL = [{"name": "timm", "version": "1.0", "sha256": "ab" * 32}]


def cache(root: Path, kept_bytes: int = 10**9) -> DependencyCache:
    return DependencyCache(job_root=root, kept_bytes=kept_bytes)
