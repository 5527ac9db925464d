"""The log as it grows, told to whoever follows it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from infrastructure.log import feed as feeds
from infrastructure.log.feed import EventFeed
from interfaces.graphql.event import Event
from interfaces.graphql.live.item import Item
from interfaces.graphql.scalars import BigInt


@strawberry.type(
    description="You read more slowly than events came. Nothing is lost: what you have not read "
    "comes next, from the log."
)
class FeedGap:
    after: BigInt = strawberry.field(
        description="The last event that you were told of, for example 1000: to begin again, "
        "give it as `after`."
    )
    up_to: BigInt = strawberry.field(
        description="Events up to this position come from the log, for example `1024`."
    )


EventFeedItem = Annotated[
    Event | FeedGap,
    strawberry.union("EventFeedItem", description="An event, or word that you read too slowly."),
]


async def feed_items(
    feed: EventFeed,
    *,
    workspace_id: UUID,
    after: int | None,
    topics: Collection[str] | None,
) -> AsyncGenerator[Item | None, None]:
    """First None, when what follows cannot be missed any more; until the feed is closed."""
    followed = feed.open(workspace_id=workspace_id, after=after, topics=topics)
    async with aclosing(cast("AsyncGenerator[Any, None]", followed)) as items:
        async for item in items:
            if item is None:
                yield None
            elif isinstance(item, feeds.FeedGap):
                yield gap(item)
            else:
                yield Item(partial(Event.of, item.frame), item.rendered)


def gap(found: feeds.FeedGap) -> Item:
    return Item(lambda: FeedGap(after=BigInt(found.after), up_to=BigInt(found.up_to)))
