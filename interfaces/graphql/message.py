"""Messages: what was said, and what was said around it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from application.ports.search import FoundMessage, SearchRequest
from application.searching.filters import NO_FILTERS
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.cursors import encode_cursor
from interfaces.graphql.message_facts import MessageFacts, number_of
from interfaces.graphql.message_parts import MessageKind
from interfaces.graphql.node import later, type_of
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
from interfaces.graphql.search_filter import SearchFilter
from projections.messages import queries
from projections.messages.queries import MessageRow
from projections.messages.threads import MOST_MESSAGES, messages_in_threads
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
        description="The whole thread that it belongs to, the oldest first: the message that its "
        "thread hangs on and what was said there, or, where the source has answers only, what it "
        "answers, back to the first, and all answers to these. Itself alone: it is in none. The "
        f"cursors are those of the conversation's `messages`. At most {MOST_MESSAGES:,} messages."
    )
    async def thread(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Message]:
        window = MESSAGES.window(first=first, after=after, last=last, before=before)
        key = (self.workspace_id, number_of(self.found))
        return await page_below(info, messages_in_threads, key, MESSAGES, window, Message.of)

    @strawberry.field(
        description="Its place in its conversation: a cursor of the conversation's `messages`, and "
        "of what was said before and after a message; for example `WyIyMDI0Il0`."
    )
    def cursor(self) -> str:
        return encode_cursor(*self._place)

    @strawberry.field(
        description="What was said before it in its conversation, the nearest so many, the oldest "
        "first. The cursors are those of the conversation's `messages`; the page's `startCursor` "
        "as `before` goes on further back."
    )
    async def before(
        self, info: Ask, first: Near = 5, before: Before = None
    ) -> Connection[Message]:
        return await self._near(info, first, "before", before)

    @strawberry.field(
        description="What was said after it in its conversation, the nearest so many, the oldest "
        "first. The cursors are those of the conversation's `messages`; the page's `endCursor` as "
        "`after` goes on further, and, at the end, with what has arrived since."
    )
    async def after(self, info: Ask, first: Near = 5, after: After = None) -> Connection[Message]:
        return await self._near(info, first, "after", after)

    @property
    def _place(self) -> tuple[datetime, int]:
        return self.found.sent_at, number_of(self.found)

    @strawberry.field(
        description="Others that are near to it in meaning, the nearest first, without itself and "
        "its exact copies: a search by its own vector, recorded as one. `likeNote` says why it can "
        "be compared with none.",
        graphql_type=later("ANSWER", "search"),
    )
    async def similar(
        self,
        info: Ask,
        first: Annotated[
            int, strawberry.argument(description="Hits at most, 1 to 100, for example 20.")
        ] = 10,
        after: Annotated[
            str | None,
            strawberry.argument(description="The cursor of a hit, for example `WyI5ZjI1Il0`."),
        ] = None,
        filter: Annotated[
            SearchFilter | None,
            strawberry.argument(description="Which messages may be found."),
        ] = None,
    ) -> Any:
        def make() -> SearchRequest:
            filters = NO_FILTERS if filter is None else filter.filters
            return SearchRequest(
                workspace_id=self.workspace_id,
                query="",
                like=number_of(self.found),
                filters=filters,
                mode="meaning",
                limit=first,
                context=2,
            )

        return await type_of("answered", "search")(info, make, after=after)

    async def _near(
        self, info: Ask, size: int, side: Literal["before", "after"], beyond: str | None
    ) -> Connection[Message]:
        asked = MESSAGES.window(first=size, after=beyond, last=None, before=None)
        place = self._place
        if asked.after is not None:  # never nearer than the message itself
            place = (min if side == "before" else max)(place, asked.after)
        # A place on one side only: the message itself lies beyond the page's other end.
        window = (
            Window(limit=asked.limit, before=place, is_backward=True)
            if side == "before"
            else Window(limit=asked.limit, after=place)
        )
        info.context.spend_window(window)
        key = (self.workspace_id, self.found.conversation_id, *place)
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
