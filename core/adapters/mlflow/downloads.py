"""Streams the bytes of a recorded file from MLflow."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

from core.adapters.mlflow.answers import mlflow_errors
from core.domain.errors import Unavailable

DOWNLOAD_SECONDS = 900.0
DOWNLOAD_BYTES = 8 * 1024**3
PIECE = 256 * 1024


def pieces(answer: httpx2.Response) -> Iterator[bytes]:
    """The body, up to DOWNLOAD_BYTES and for up to DOWNLOAD_SECONDS. Raises Unavailable beyond that."""
    until, left = time.monotonic() + DOWNLOAD_SECONDS, DOWNLOAD_BYTES
    with mlflow_errors():
        for piece in answer.iter_bytes(PIECE):
            left -= len(piece)
            if left < 0 or time.monotonic() > until:
                raise Unavailable("The tracking server (MLflow)", "this file takes too long")
            yield piece
