"""Structured logs: one JSON object per line on stdout, with the ids of the current request and without secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

SECRET_WORDS = ("authorization", "cookie", "password", "secret", "token")
HIDDEN = "(hidden)"
SERVER_LOGGERS = ("uvicorn", "uvicorn.error")

_ids: ContextVar[dict[str, str] | None] = ContextVar("ids", default=None)


def configure() -> None:
    """Call once, at a process's start. Silences our HTTP client, which would log every request."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    structlog.configure(processors=[*_shared(), structlog.processors.JSONRenderer()])


def take_over_server_logs() -> None:
    """Put the web server's own lines into our format. Its access log is off, since we write a better one."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    for name in SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name == SERVER_LOGGERS[0] else []
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False


@contextmanager
def request_ids(**ids: str) -> Iterator[dict[str, str]]:
    """Within this context every line of the request has these ids, and those that `bind` adds."""
    found = dict(ids)
    token = _ids.set(found)
    try:
        yield found
    finally:
        _ids.reset(token)


def bind(**ids: str) -> None:
    """Add ids to the log lines of the current request, in whichever thread; without a request nothing happens.

    structlog's own context variables stay in the thread that set them: an endpoint's lines would have the user, the
    access log's line would not.
    """
    found = _ids.get()
    if found is not None:
        found.update(ids)


def _shared() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        _with_ids,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
    ]


def _with_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**(_ids.get() or {}), **event}


def _without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A safety net below the rule that secrets are never logged: hides values whose name contains a secret word."""
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = HIDDEN
    return event
