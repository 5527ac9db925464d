"""Conversations: what they are called, who wrote in them, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from domain.aggregate import ERASED
from interfaces.graphql.around import page_around
from interfaces.graphql.author import Author
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.label import Label
from interfaces.graphql.node import Node, later_connection, type_of
from interfaces.graphql.node_ids import node_id, parse_id
from interfaces.graphql.pages import (
    AUTHORS,
    CONVERSATIONS,
    CONVERSATIONS_BY_TITLE,
    LABELS,
    MESSAGES,
)
from interfaces.graphql.reading import (
    After,
    Before,
    First,
    InWorkspace,
    Last,
    MinPosition,
    Since,
    Until,
    found_by_id,
    moment,
    page_below,
    page_in,
    storable_text,
)
from interfaces.graphql.scalars import BigInt
from projections.authors.queries import authors_in_conversation
from projections.conversations import queries
from projections.conversations.queries import ConversationRow
from projections.labels.queries import labels_of_conversations
from projections.messages.counts import (
    TotalRow,
    author_counts,
    conversation_totals,
    conversations_with_messages,
)
from projections.messages.queries import messages_in_conversation


@strawberry.enum(description="What a conversation is.")
class ConversationKind(Enum):
    DIRECT = strawberry.enum_value("direct", description="Between two people.")
    GROUP = strawberry.enum_value("group", description="Among people who were added to it.")
    CHANNEL = strawberry.enum_value("channel", description="Open to a team, or to anybody.")
    AI = strawberry.enum_value("ai", description="With a machine that answers.")
    UNKNOWN = strawberry.enum_value("unknown", description="The export does not say.")


@strawberry.enum(description="What a list of conversations is ordered by.")
class ConversationOrder(Enum):
    LAST_MESSAGE = strawberry.enum_value(
        "last_message", description="The one in which something was said last comes first."
    )
    TITLE = strawberry.enum_value("title", description="By title, whatever the case of letters.")

    @property
    def order(self) -> queries.Order:
        return cast("queries.Order", self.value)


@strawberry.type(description="A chat between people.")
class Conversation(Node):
    title: str = strawberry.field(
        description="As last seen in an export, for example `Boat trip`; “[erased]” after that."
    )
    key: strawberry.Private[tuple[UUID, UUID]]  # workspace, conversation
    row: strawberry.Private[ConversationRow | None] = None

    @classmethod
    def of(cls, row: ConversationRow) -> Conversation:
        key = (row.workspace_id, row.conversation_id)
        id = node_id("Conversation", row.conversation_id)
        return cls(id=id, title=row.title, key=key, row=row)

    @classmethod
    def titled(cls, key: tuple[UUID, UUID], title: str | None) -> Conversation:
        """Of which more can be asked. No title: it was erased."""
        id = node_id("Conversation", key[1])
        return cls(id=id, title=ERASED if title is None else title, key=key)

    async def details(self, info: Ask) -> ConversationRow | None:
        """None: erased."""
        if self.row is None:
            self.row = await info.context.load(queries.conversations_by_id, self.key)
        return self.row

    async def totals(self, info: Ask) -> TotalRow | None:
        found: TotalRow | None = await info.context.load(conversation_totals, self.key)
        return found

    @strawberry.field(description="What kind of conversation it is.")
    async def kind(self, info: Ask) -> ConversationKind:
        row = await self.details(info)
        return ConversationKind.UNKNOWN if row is None else ConversationKind(row.kind)

    @strawberry.field(
        description="The kind of export it came from, for example `slack`; null: erased."
    )
    async def format(self, info: Ask) -> str | None:
        row = await self.details(info)
        return None if row is None else row.format

    @strawberry.field(
        description='Titles that it had before, the oldest first, for example `["Boats"]`.'
    )
    async def former_titles(self, info: Ask) -> list[str]:
        row = await self.details(info)
        return [] if row is None else row.former_titles

    @strawberry.field(description="How many messages it has, of every kind, for example 52224.")
    async def message_count(self, info: Ask) -> BigInt:
        totals = await self.totals(info)
        return BigInt(0 if totals is None else totals.messages)

    @strawberry.field(description="First message, for example `2024-03-01T09:02:00Z`; null: none.")
    async def first_message_at(self, info: Ask) -> datetime | None:
        totals = await self.totals(info)
        return None if totals is None else totals.first_at

    @strawberry.field(description="Last message, for example `2024-03-01T09:02:00Z`; null: none.")
    async def last_message_at(self, info: Ask) -> datetime | None:
        totals = await self.totals(info)
        return None if totals is None else totals.last_at

    @strawberry.field(description="How many people wrote in it, for example 4.")
    async def author_count(self, info: Ask) -> int:
        found: int | None = await info.context.load(author_counts, self.key)
        return found or 0

    @strawberry.field(description="Who wrote in it, by name. Erased people are left out.")
    async def authors(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Author]:
        window = AUTHORS.window(first=first, after=after, last=last, before=before)
        return await page_below(info, authors_in_conversation, self.key, AUTHORS, window, Author.of)

    @strawberry.field(description="Labels that it has itself, by name.")
    async def labels(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Label]:
        window = LABELS.window(first=first, after=after, last=last, before=before)
        return await page_below(info, labels_of_conversations, self.key, LABELS, window, Label.of)

    @strawberry.field(
        description="What was said, the oldest first. Messages of the same minute keep the order "
        "of their file.",
        graphql_type=later_connection("Message", "message"),
    )
    async def messages(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        around: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="A message of this conversation, for example `Message:52224`: the page "
                "has it in its middle. Only with `first`. The log records that it was opened."
            ),
        ] = None,
        since: Since = None,
        until: Until = None,
    ) -> Any:
        made = type_of("Message", "message").of
        window = MESSAGES.window(first=first, after=after, last=last, before=before)
        times = {"since": moment(since), "until": moment(until)}
        if around is not None:
            return await page_around(info, self.key, around, window, made, **times)
        return await page_below(
            info, messages_in_conversation, self.key, MESSAGES, window, made, **times
        )


async def conversations(
    info: Ask,
    workspace: InWorkspace = "default",
    kind: Annotated[
        list[ConversationKind] | None,
        strawberry.argument(description="Only of these kinds, for example `[DIRECT, GROUP]`."),
    ] = None,
    title: Annotated[
        str | None,
        strawberry.argument(
            description="What the title begins with, for example `boat`. Case makes no difference."
        ),
    ] = None,
    order: Annotated[
        ConversationOrder, strawberry.argument(description="What the list is ordered by.")
    ] = ConversationOrder.LAST_MESSAGE,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Conversation] | None:
    prefix = storable_text("title", title)
    kinds = None if kind is None else [cast("str", one.value) for one in kind]
    pages = CONVERSATIONS_BY_TITLE if order is ConversationOrder.TITLE else CONVERSATIONS
    return await page_in(
        info,
        workspace,
        ["conversations", "messages", "labels"],
        min_position,
        pages,
        pages.window(first=first, after=after, last=last, before=before),
        lambda database, workspace_id, window: queries.conversations_page(
            database, workspace_id, window=window, order=order.order, kinds=kinds, title=prefix
        ),
        Conversation.of,
    )


async def conversation(
    info: Ask,
    id: Annotated[
        strawberry.ID,
        strawberry.argument(
            description="The conversation's id, for example "
            "`Conversation:6a1d6c1e-77a5-8f2b-8a51-c0a1b2c3d4e5`."
        ),
    ],
    min_position: MinPosition = None,
) -> Conversation | None:
    models = ["conversations", "messages", "authors", "labels"]
    key = parse_id("Conversation", id)
    return await found_by_id(info, models, min_position, find_conversations, key)


def find_conversations(
    database: Database[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, Conversation]:
    """Those whose title was erased have messages, and no title."""
    rows = queries.conversations_among(database, workspaces, ids)
    found = {id: Conversation.of(row) for id, row in rows.items()}
    untitled = [id for id in ids if id not in found]
    if untitled:
        for key in conversations_with_messages(database, workspaces, untitled):
            found[key[1]] = Conversation.titled(key, None)
    return found
