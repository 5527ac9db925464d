"""New hits of saved searches, told to whoever saved them as soon as they can be found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import strawberry

from infrastructure.outage import is_outage
from infrastructure.search.new_hits import (
    MODELS,
    NewHit,
    NewHits,
    NewHitsFinder,
    NewPlace,
    WatchedSearch,
)
from interfaces.graphql.cursors import encode_cursor
from interfaces.graphql.hit_parts import HitReason
from interfaces.graphql.live.item import Item
from interfaces.graphql.live.watch import RETRY_SECONDS, Listen, Watch
from interfaces.graphql.message import Message
from interfaces.graphql.scalars import BigInt

LEAST_SECONDS = 0.25
MOST_SECONDS = 10.0
LOOKS = 4  # at a time, of all who follow: each takes a connection

T = TypeVar("T")
# The search as it is to be looked for now; None: it was deleted. Blocks.
Ask = Callable[[], WatchedSearch | None]
Record = Callable[[Sequence[int]], Awaitable[object]]


@strawberry.type(description="A message that a saved search finds and could not find before.")
class SavedSearchHit:
    cursor: str = strawberry.field(
        description="What `after` takes to go on behind it, for example `WzEwMjQsMTA0ODU3Nl0`."
    )
    position: BigInt = strawberry.field(
        description="At which it became searchable, for example 1024."
    )
    reason: HitReason = strawberry.field(
        description="`WORDS`: it has all of them, or none are asked for; else `MEANING`."
    )
    probability: float | None = strawberry.field(
        description="That it is to the point by its meaning, 0.1 to 1, for example 0.83. Null: it "
        "is not that near, or could not be compared yet."
    )
    message: Message = strawberry.field(description="The message itself.")


class NewHitsWatch(Watch):
    """Whether there may be more to find, once for all who follow; then each looks for his own."""

    def __init__(self, listen: Listen, finder: NewHitsFinder) -> None:
        super().__init__(listen, least_seconds=LEAST_SECONDS, most_seconds=MOST_SECONDS)
        self._finder = finder
        self._reached = 0
        self._looks = asyncio.Semaphore(LOOKS)  # of the loop in which it is followed

    async def begin(self) -> None:
        self._looks = asyncio.Semaphore(LOOKS)
        await self.look()

    async def look(self) -> bool:
        reached = await asyncio.to_thread(self._finder.reached)
        has_moved = reached != self._reached
        self._reached = reached
        return has_moved

    async def follow(
        self, ask: Ask, after: NewPlace, record: Record
    ) -> AsyncGenerator[Item | None, None]:
        """
        First None, when what follows cannot be missed any more; then each hit behind the place,
        once, in the order in which they became searchable. Ends when the search is deleted.

        Args:
            record: of the messages that are told next; they are told when it has returned.
        """
        async with self.followed():
            yield None
            while True:
                turn = self.turn
                found = await patiently(partial(self._next, ask, after))
                if found is None:
                    return
                if ids := [hit.place.message_id for hit in found.hits]:
                    await patiently(partial(record, ids))
                for hit in found.hits:
                    yield Item(partial(told, hit))
                after = found.place
                if not found.has_more:
                    await turn.wait()

    async def _next(self, ask: Ask, after: NewPlace) -> NewHits | None:
        def look() -> NewHits | None:
            watched = ask()
            return None if watched is None else self._finder.page(watched, after)

        async with self._looks:
            return await asyncio.to_thread(look)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Again and again while the database is away."""
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_outage(error):
                raise
            await asyncio.sleep(RETRY_SECONDS)


def told(hit: NewHit) -> SavedSearchHit:
    workspace_id = hit.workspace_id
    return SavedSearchHit(
        cursor=encode_cursor(*hit.place),
        position=BigInt(hit.place.position),
        reason=HitReason.WORDS if hit.has_words else HitReason.MEANING,
        probability=hit.probability,
        message=Message.of_search(hit.message, workspace_id),
    )


def is_of_search(name: str) -> bool:
    """A read model that hits are found in."""
    return name in MODELS
