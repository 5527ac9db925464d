"""Who wrote: people, bots, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from domain.aggregate import ERASED
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.node import Node, later_connection, type_of
from interfaces.graphql.node_ids import node_id, parse_id
from interfaces.graphql.pages import AUTHORS, CONVERSATIONS, MESSAGES
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
from projections.authors import queries
from projections.authors.queries import AuthorRow
from projections.conversations.queries import conversations_of_author
from projections.messages.counts import TotalRow, author_totals, authors_with_messages
from projections.messages.queries import messages_by_author

NamePrefix = Annotated[
    str | None,
    strawberry.argument(
        description="What the name begins with, for example `ada`. Case makes no difference."
    ),
]


@strawberry.type(description="Somebody who wrote, as one chat system knows them.")
class Author(Node):
    name: str = strawberry.field(
        description="As last seen in an export, for example `Ada Lovelace`; “[erased]” after that."
    )
    key: strawberry.Private[tuple[UUID, UUID]]  # workspace, author
    row: strawberry.Private[AuthorRow | None] = None

    @classmethod
    def of(cls, row: AuthorRow) -> Author:
        key = (row.workspace_id, row.author_id)
        return cls(id=node_id("Author", row.author_id), name=row.name, key=key, row=row)

    @classmethod
    def named(cls, key: tuple[UUID, UUID], name: str | None = None) -> Author:
        """Of whom more can be asked. No name: it was erased."""
        return cls(id=node_id("Author", key[1]), name=ERASED if name is None else name, key=key)

    async def details(self, info: Ask) -> AuthorRow | None:
        """None: erased."""
        if self.row is None:
            self.row = await info.context.load(queries.authors_by_id, self.key)
        return self.row

    async def totals(self, info: Ask) -> TotalRow | None:
        found: TotalRow | None = await info.context.load(author_totals, self.key)
        return found

    @strawberry.field(
        description="The kind of export they came from, for example `whatsapp`; null: erased."
    )
    async def format(self, info: Ask) -> str | None:
        row = await self.details(info)
        return None if row is None else row.format

    @strawberry.field(
        description="Their id in the chat system, for example `U012AB3CD`, or their name where it "
        "has none; null: erased."
    )
    async def source_id(self, info: Ask) -> str | None:
        row = await self.details(info)
        return None if row is None else row.source_id

    @strawberry.field(
        description='Names that they had before, the oldest first, for example `["Ada B."]`.'
    )
    async def former_names(self, info: Ask) -> list[str]:
        row = await self.details(info)
        return [] if row is None else row.former_names

    @strawberry.field(description="How many messages of theirs the workspace has, for example 512.")
    async def message_count(self, info: Ask) -> BigInt:
        totals = await self.totals(info)
        return BigInt(0 if totals is None else totals.messages)

    @strawberry.field(
        description="When they first wrote, in UTC, for example `2024-03-01T09:02:00+00:00`; "
        "null: never."
    )
    async def first_message_at(self, info: Ask) -> datetime | None:
        totals = await self.totals(info)
        return None if totals is None else totals.first_at

    @strawberry.field(
        description="When they last wrote, in UTC, for example `2024-03-01T09:02:00+00:00`; "
        "null: never."
    )
    async def last_message_at(self, info: Ask) -> datetime | None:
        totals = await self.totals(info)
        return None if totals is None else totals.last_at

    @strawberry.field(
        description="Where they wrote; the conversation in which they last did first.",
        graphql_type=later_connection("Conversation", "conversation"),
    )
    async def conversations(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        window = CONVERSATIONS.window(first=first, after=after, last=last, before=before)
        made = type_of("Conversation", "conversation").of
        return await page_below(
            info, conversations_of_author, self.key, CONVERSATIONS, window, made
        )

    @strawberry.field(
        description="What they wrote, the oldest first.",
        graphql_type=later_connection("Message", "message"),
    )
    async def messages(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        since: Since = None,
        until: Until = None,
    ) -> Any:
        window = MESSAGES.window(first=first, after=after, last=last, before=before)
        times = {"since": moment(since), "until": moment(until)}
        made = type_of("Message", "message").of
        return await page_below(info, messages_by_author, self.key, MESSAGES, window, made, **times)


async def authors(
    info: Ask,
    workspace: InWorkspace = "default",
    name: NamePrefix = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Author] | None:
    prefix = storable_text("name", name)
    return await page_in(
        info,
        workspace,
        ["authors", "messages"],
        min_position,
        AUTHORS,
        AUTHORS.window(first=first, after=after, last=last, before=before),
        lambda database, workspace_id, window: queries.authors_page(
            database, workspace_id, window=window, name=prefix
        ),
        Author.of,
    )


async def author(
    info: Ask,
    id: Annotated[
        strawberry.ID,
        strawberry.argument(
            description="The author's id, for example "
            "`Author:0b6ff2b1-3d0e-8b6c-9f54-3f1b0c6a7d11`."
        ),
    ],
    min_position: MinPosition = None,
) -> Author | None:
    models = ["authors", "messages", "conversations"]
    return await found_by_id(info, models, min_position, find_authors, parse_id("Author", id))


def find_authors(
    database: Database[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, Author]:
    """Those who were erased have messages, and no name."""
    rows = queries.authors_among(database, workspaces, ids)
    found = {id: Author.of(row) for id, row in rows.items()}
    nameless = [id for id in ids if id not in found]
    if nameless:
        for key in authors_with_messages(database, workspaces, nameless):
            found[key[1]] = Author.named(key, None)
    return found
