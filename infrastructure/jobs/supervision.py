"""Keeps things running until the process stops."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)


async def supervise(
    make: Callable[[], Awaitable[None]],
    *,
    name: str,
    stopping: asyncio.Event,
    first_wait_seconds: float = 0.5,
    longest_wait_seconds: float = 30.0,
) -> None:
    """
    Start it again whenever it ends, by an exception or not, until `stopping` is set.

    The wait doubles each time, and begins anew after a life that was longer than the longest wait.
    """
    wait_seconds = first_wait_seconds
    while not stopping.is_set():
        started = time.monotonic()
        try:
            await make()
        except Exception as error:  # whatever it was, the next life may be better
            logger.warning("%s failed", name, exc_info=error)
        if stopping.is_set():
            return
        if time.monotonic() - started > longest_wait_seconds:
            wait_seconds = first_wait_seconds
        logger.warning("%s starts again in %s s", name, wait_seconds)
        await pause(stopping, wait_seconds)
        wait_seconds = min(wait_seconds * 2, longest_wait_seconds)


async def repeat(
    action: Callable[[], Coroutine[Any, Any, Any]], *, seconds: float, stopping: asyncio.Event
) -> None:
    """Now, and then every so many seconds. Gives up what it is at when `stopping` is set."""
    while not stopping.is_set():
        await unless(stopping, action())
        await pause(stopping, seconds)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep, but not past the stop."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return


async def unless(stopping: asyncio.Event, action: Coroutine[Any, Any, Any]) -> bool:
    """Await the action, but not past the stop. Returns whether it was completed."""
    work = asyncio.create_task(action)
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        is_done = work.done()
        if not is_done:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    if is_done:
        await work  # raises what it raised
    return is_done
