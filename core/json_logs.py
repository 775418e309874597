"""Structured logs: one JSON object a line on stdout, with the ids that were bound to it."""

from __future__ import annotations

import logging

import structlog


def configure() -> None:
    """Call once, in a process's entry. Our HTTP client tells of each request, which would drown the rest."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ]
    )
