"""When the next try comes, and what is heard while nothing comes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from client.api.errors import LeadersboardError, Problem, TooMany, Unavailable, Unreachable
from client.api.pauses import LONGEST_PAUSE, pause_after, with_pauses

pytestmark = pytest.mark.unit


def pauses(error: LeadersboardError | None, failures: int) -> tuple[float, float]:
    """The shortest and the longest of many, in whole seconds: each is spread a little."""
    found = [pause_after(error, failures=failures) for _ in range(200)]
    return round(min(found)), round(max(found))


def asking_for(seconds: float) -> Problem:
    return Problem(status=429, code="x", detail="x", retry_after=seconds)


def test_a_pause_is_what_the_platform_asks_for_within_bounds() -> None:
    """`Retry-After` counts up to the longest pause; without one it grows with each failure in a row."""
    assert pauses(None, 0) == (1, 1)
    assert pauses(Unreachable("no"), 3) == (3, 5)
    assert pauses(Unreachable("no"), 5000) == (LONGEST_PAUSE * 0.8, LONGEST_PAUSE * 1.2)
    assert pauses(TooMany(asking_for(4.0)), 1) == (3, 5)
    assert pauses(Unavailable(asking_for(3600.0)), 1) == (LONGEST_PAUSE * 0.8, LONGEST_PAUSE * 1.2)


def test_silence_is_heard_between_events() -> None:
    """While no event comes, None does; events come whole and in order."""

    async def listened() -> list[str | None]:
        gate = asyncio.Event()

        async def source() -> AsyncGenerator[str]:
            yield "a"
            yield "b"
            await gate.wait()
            yield "c"

        found: list[str | None] = []
        async with aclosing(with_pauses(source(), 0.01)) as events:
            async for event in events:
                found.append(event)
                if found[-2:] == [None, None]:
                    gate.set()
        return found

    found = asyncio.run(asyncio.wait_for(listened(), 20))
    assert [event for event in found if event] == ["a", "b", "c"]
    assert found[2:4] == [None, None]


def test_a_failure_comes_after_the_events_before_it() -> None:
    """It is raised as it is, and only where it was."""
    found: list[str | None] = []

    async def source() -> AsyncGenerator[str]:
        yield "a"
        raise Unreachable("gone")

    async def listen() -> None:
        async with aclosing(with_pauses(source(), 10)) as events:
            found.append(await anext(events))
            await anext(events)

    with pytest.raises(Unreachable):
        asyncio.run(asyncio.wait_for(listen(), 20))
    assert found == ["a"]


@pytest.mark.parametrize("way", ["leaves between events", "is cancelled while it waits"])
def test_a_source_is_closed_with_its_listener(way: str) -> None:
    """Also when its next event is already at hand."""
    closed: list[bool] = []

    async def source() -> AsyncGenerator[str]:
        try:
            yield "a"
            if way == "leaves between events":
                yield "b"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def listen(heard: asyncio.Event) -> None:
        async with aclosing(with_pauses(source(), 10)) as events:
            async for _event in events:
                heard.set()
                if way == "leaves between events":
                    return

    async def leave() -> None:
        heard = asyncio.Event()
        listener = asyncio.create_task(listen(heard))
        await heard.wait()
        if way == "is cancelled while it waits":
            listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        assert closed

    asyncio.run(asyncio.wait_for(leave(), 20))
