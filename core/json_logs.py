"""Structured logs: one JSON object a line on stdout, with the ids of the request at hand, never with a secret."""

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
    """Call once, in a process's entry. Our HTTP client tells of each request, which would drown the rest."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    structlog.configure(processors=[*_shared(), structlog.processors.JSONRenderer()])


def take_over_server_logs() -> None:
    """The web server's own lines in our form; its access log is off, since we write a better one."""
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
    """Until the context ends, every line of this request has these ids, and those that `bind` adds."""
    found = dict(ids)
    token = _ids.set(found)
    try:
        yield found
    finally:
        _ids.reset(token)


def bind(**ids: str) -> None:
    """Add ids to the lines of the request at hand, whichever thread serves it; without a request nothing happens.

    structlog's own context variables would stay in the thread that set them: an endpoint's lines would have the user,
    the access log's line would not.
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
    """A net below the rule that nobody logs one: what is named like a secret is not shown."""
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = HIDDEN
    return event
