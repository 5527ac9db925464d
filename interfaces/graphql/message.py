"""Messages: what was said, and what was said around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from application.ports.search import FoundMessage
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.message_facts import MessageFacts, number_of
from interfaces.graphql.message_parts import MessageKind
from interfaces.graphql.node_ids import node_id, parse_number
from interfaces.graphql.opening import opened
from interfaces.graphql.pages import MESSAGES
from interfaces.graphql.reading import (
    After,
    Before,
    First,
    Last,
    MinPosition,
    found_by_id,
    page_below,
)
from projections.messages import queries
from projections.messages.queries import MessageRow
from projections.paging import Window

Near = Annotated[int, strawberry.argument(description="So many at most, 1 to 100, for example 5.")]


@strawberry.type(description="One message of an archive.")
class Message(MessageFacts):
    @classmethod
    def of(cls, row: MessageRow) -> Message:
        return cls(
            id=node_id("Message", row.message_id),
            text=row.text,
            sent_at=row.sent_at,
            kind=MessageKind(row.kind),
            language=row.language,
            workspace_id=row.workspace_id,
            found=row,
        )

    @classmethod
    def of_search(cls, found: FoundMessage, workspace_id: UUID) -> Message:
        """Of which more can be asked."""
        return cls(
            id=node_id("Message", found.id),
            text=found.text,
            sent_at=found.sent_at,
            kind=MessageKind(found.kind),
            language=found.language,
            workspace_id=workspace_id,
            found=found,
        )

    @property
    def row(self) -> MessageRow:
        """Of one that was read as a whole."""
        if not isinstance(self.found, MessageRow):
            raise TypeError("of a hit not everything is known")
        return self.found

    @strawberry.field(
        description="The message that it answers; null: none, or one that no upload has."
    )
    async def reply_to(self, info: Ask) -> Message | None:
        row = await self.details(info)
        return None if row.reply_to is None else await by_key(info, row, row.reply_to)

    @strawberry.field(
        description="The message that its thread hangs on, which may be itself; null: it is in "
        "none, or no upload has that message."
    )
    async def thread_root(self, info: Ask) -> Message | None:
        row = await self.details(info)
        return None if row.thread is None else await by_key(info, row, row.thread)

    @strawberry.field(
        description="What was said in the thread that it belongs to or begins, the oldest first, "
        "without the message that the thread hangs on."
    )
    async def thread_replies(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Message]:
        row = await self.details(info)
        window = MESSAGES.window(first=first, after=after, last=last, before=before)
        key = (row.workspace_id, row.conversation_id, row.thread or row.message_key)
        load = queries.replies_in_thread
        return await page_below(info, load, key, MESSAGES, window, Message.of)

    @strawberry.field(
        description="What was said before it in its conversation, the nearest so many, the oldest "
        "first. The cursors are those of the conversation's `messages`."
    )
    async def before(self, info: Ask, first: Near = 5) -> Connection[Message]:
        return await self._near(info, first, "before")

    @strawberry.field(
        description="What was said after it in its conversation, the nearest so many, the oldest "
        "first. The cursors are those of the conversation's `messages`."
    )
    async def after(self, info: Ask, first: Near = 5) -> Connection[Message]:
        return await self._near(info, first, "after")

    async def _near(self, info: Ask, size: int, side: str) -> Connection[Message]:
        found = self.found
        place = (found.sent_at, number_of(found))
        asked = MESSAGES.window(first=size, after=None, last=None, before=None)
        # A place on one side only: the message itself lies beyond the page's other end.
        window = (
            Window(limit=asked.limit, before=place, is_backward=True)
            if side == "before"
            else Window(limit=asked.limit, after=place)
        )
        info.context.spend_window(window)
        key = (self.workspace_id, found.conversation_id, *place)
        near = await info.context.load(queries.messages_near, key, size=asked.limit, side=side)
        return MESSAGES.connection(near, window, Message.of)


async def by_key(info: Ask, row: MessageRow, key: str) -> Message | None:
    place = (row.workspace_id, row.conversation_id, key)
    found = await info.context.load(queries.messages_by_key, place)
    return None if found is None else Message.of(found)


async def message(
    info: Ask,
    id: Annotated[
        strawberry.ID,
        strawberry.argument(description="The message's id, for example `Message:52224`."),
    ],
    min_position: MinPosition = None,
) -> Message | None:
    models = ["messages", "conversations", "authors", "uploads", "labels"]
    key = parse_number("Message", id)
    found = await found_by_id(info, models, min_position, find_messages, key)
    if found is not None:
        await opened(info, [found.row])
    return found


def find_messages(
    database: Database[Any], workspaces: Sequence[UUID], ids: Sequence[int]
) -> dict[int, Message]:
    found = queries.messages_among(database, workspaces, ids)
    return {id: Message.of(row) for id, row in found.items()}
