"""How long to wait before the next try, and how to notice that nothing comes."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import TypeVar

import anyio

from client.api.errors import LeadersboardError, Refused

FIRST_PAUSE = 1.0
"""Seconds; doubled with each further failure in a row."""
LONGEST_PAUSE = 10.0

T = TypeVar("T")


def pause_after(failure: LeadersboardError | None, *, failures: int) -> float:
    """Seconds to wait before the next try: what the platform asks for, else longer with each failure in a row."""
    asked = (failure.problem.retry_after if isinstance(failure, Refused) else None) or 0.0
    pause = FIRST_PAUSE * 2.0 ** min(max(failures - 1, 0), 10)
    spread = random.uniform(0.8, 1.2)  # noqa: S311, so that not all followers come back in the same moment
    return min(max(asked, pause), LONGEST_PAUSE) * spread


async def with_pauses(events: AsyncGenerator[T], seconds: float) -> AsyncGenerator[T | None]:
    """The same events, and None whenever none came for so many seconds."""
    coming = asyncio.ensure_future(_next(events))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=seconds)
            if not done:
                yield None
                continue
            found = coming.result()
            if not found:
                return
            coming = asyncio.ensure_future(_next(events))
            yield found[0]
    finally:
        with anyio.CancelScope(shield=True):
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            await events.aclose()


async def _next(events: AsyncGenerator[T]) -> list[T]:
    """The next event alone; nothing at the end."""
    async for event in events:
        return [event]
    return []
