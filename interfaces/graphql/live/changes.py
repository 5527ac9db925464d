"""Rows that change, in the order of their positions: each at least as it was last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from infrastructure.outage import is_outage
from interfaces.graphql.live.item import Item
from interfaces.graphql.live.watch import RETRY_SECONDS, Listen, Watch

LEAST_SECONDS = 0.1
MOST_SECONDS = 10.0
MAX_KEPT = 1_000  # rows; whoever is further behind reads them himself
PAGE = 100
CHECK_SECONDS = 1.0  # between two looks for a database that was put back to an earlier state

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[Row]):
    """
    Where rows come from. Each row is seen under a position that only grows, and once one is seen
    no row appears below it.

    Args:
        listen: see Watch.
        head: the greatest position. Blocks.
        page: the rows after a position, in order: of all, or those of one key. Blocks.
        build: from a row what subscribers are told.
    """

    listen: Listen
    head: Callable[[], int]
    page: Callable[[int, int, Hashable | None], Sequence[Row]]
    position: Callable[[Row], int]
    key: Callable[[Row], Hashable]
    build: Callable[[Row], object]


class Changes(Watch, Generic[Row]):
    """One query for all who follow, whenever something has moved."""

    def __init__(self, source: Source[Row]) -> None:
        super().__init__(source.listen, least_seconds=LEAST_SECONDS, most_seconds=MOST_SECONDS)
        self._source = source
        self._latest: dict[Hashable, tuple[int, Item]] = {}  # in the order of positions
        self._reached = 0
        self._floor = 0  # whatever has changed after this position is among the latest
        self._steps_back = 0  # how often the positions began again from an earlier one
        self._checked_at = 0.0

    async def begin(self) -> None:
        self._latest.clear()
        self._reached = self._floor = await asyncio.to_thread(self._source.head)

    async def look(self) -> bool:
        before = self._reached
        while True:
            rows = await asyncio.to_thread(self._source.page, self._reached, MAX_KEPT, None)
            for row in rows:
                self._keep(row)
            if not rows and self._reached == before and await self._has_gone_back():
                return True
            if len(rows) < MAX_KEPT:
                return self._reached > before

    async def _has_gone_back(self) -> bool:
        """A backup was restored, or an earlier version of the read model: begin anew from there."""
        now = time.monotonic()
        if now - self._checked_at < CHECK_SECONDS:
            return False
        self._checked_at = now
        head = await asyncio.to_thread(self._source.head)
        if head >= self._reached:
            return False
        self._latest.clear()
        self._reached = self._floor = head
        self._steps_back += 1
        return True

    def _keep(self, row: Row) -> None:
        key, position = self._source.key(row), self._source.position(row)
        self._latest.pop(key, None)
        self._latest[key] = (position, self._item(row))
        self._reached = max(self._reached, position)
        if len(self._latest) > MAX_KEPT:
            self._floor, _ = self._latest.pop(next(iter(self._latest)))

    def _item(self, row: Row) -> Item:
        return Item(lambda: self._source.build(row))

    async def follow(
        self, after: int | None, key: Hashable | None = None
    ) -> AsyncGenerator[Item | None, None]:
        """
        First None, when what follows cannot be missed any more; then items with growing positions.

        Args:
            after: None: only what changes from now on.
            key: of one row; None: of all.
        """
        async with self.followed():
            told = self._reached if after is None else after
            steps_back = self._steps_back
            yield None
            while True:
                turn, floor = self.turn, self._floor
                if steps_back != self._steps_back:
                    steps_back, told = self._steps_back, min(told, floor)
                if told < floor:
                    rows = await self._page(told, key)
                    for row in rows:
                        told = self._source.position(row)
                        yield self._item(row)
                    if len(rows) < PAGE:
                        told = max(told, floor)
                elif (found := self._next(told, key)) is not None:
                    told, item = found
                    yield item
                else:
                    await turn.wait()

    def _next(self, told: int, key: Hashable | None) -> tuple[int, Item] | None:
        if key is not None:
            found = self._latest.get(key)
            return found if found is not None and found[0] > told else None
        following = None
        for entry in reversed(self._latest.values()):
            if entry[0] <= told:
                break
            following = entry
        return following

    async def _page(self, after: int, key: Hashable | None) -> Sequence[Row]:
        while True:
            try:
                return await asyncio.to_thread(self._source.page, after, PAGE, key)
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(RETRY_SECONDS)
