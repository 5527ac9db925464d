"""Looks at what has moved, once for all who follow it, and only while somebody does."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from infrastructure.outage import is_outage
from interfaces.graphql.live.serving import report

RETRY_SECONDS = 0.5  # after a look that failed

Listen = Callable[[Callable[[], None]], Callable[[], None]]


class Watch(ABC):
    """
    To be followed in one event loop at a time.

    Args:
        listen: is given what to call, in any thread, when something may have moved; returns what
            ends that.
        least_seconds: between two looks: what moves meanwhile is one.
        most_seconds: between two looks, should nothing be heard.
    """

    def __init__(self, listen: Listen, *, least_seconds: float, most_seconds: float) -> None:
        self._listen = listen
        self._least_seconds = least_seconds
        self._most_seconds = most_seconds
        self._followers = 0
        self._opening: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._turned = asyncio.Event()  # a new one for each look that found something

    @abstractmethod
    async def begin(self) -> None:
        """The first look."""

    @abstractmethod
    async def look(self) -> bool:
        """Whether followers have something to see."""

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """
        Raises:
            Exception: what the first look raised.
        """
        self._followers += 1
        try:
            if self._opening is None:
                self._opening = asyncio.create_task(self._open())
            await asyncio.shield(self._opening)
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                self._close()

    @property
    def turn(self) -> asyncio.Event:
        """Is set as soon as there is something new. To be taken before looking for it."""
        return self._turned

    @property
    def is_followed(self) -> bool:
        return self._followers > 0

    async def _open(self) -> None:
        moved = self._moved = asyncio.Event()
        loop = asyncio.get_running_loop()

        def on_move() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(moved.set)

        end = self._listen(on_move)
        try:
            await self.begin()
        except BaseException:
            end()
            if self._opening is asyncio.current_task():
                self._opening = None  # whoever comes next tries again
            raise
        self._looking = asyncio.create_task(self._look_on())
        self._looking.add_done_callback(lambda _: end())

    def _close(self) -> None:
        for task in (self._opening, self._looking):
            if task is not None:
                task.cancel()
        self._opening = self._looking = None

    async def _look_on(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._most_seconds):
                    await self._moved.wait()
            except TimeoutError:
                pass
            self._moved.clear()
            try:
                has_news = await self.look()
            except Exception as error:  # noqa: BLE001 - those who follow wait for the next one
                if not is_outage(error):
                    report(error)
                self._moved.set()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if has_news:
                self._turned, turned = asyncio.Event(), self._turned
                turned.set()
            await asyncio.sleep(self._least_seconds)
