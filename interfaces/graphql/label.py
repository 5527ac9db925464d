"""Labels: what people call messages and conversations by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.node import Node
from interfaces.graphql.node_ids import node_id
from interfaces.graphql.pages import LABELS
from interfaces.graphql.reading import (
    After,
    Before,
    First,
    InWorkspace,
    Last,
    MinPosition,
    page_in,
)
from interfaces.graphql.scalars import BigInt
from projections.labels import queries
from projections.labels.queries import LabelCounts, LabelRow

MODELS = ["labels", "messages"]  # counts are those of the messages that there are


@strawberry.type(description="What people of a workspace call messages and conversations by.")
class Label(Node):
    name: str = strawberry.field(
        description="For example `to check`. No two labels of a workspace differ only in case."
    )
    colour: str | None = strawberry.field(description="For example `#3366cc`; null: none is set.")
    description: str | None = strawberry.field(
        description="What it is for, for example `Somebody has to look at it`; null: not said."
    )
    created_at: datetime = strawberry.field(
        description="When it was made, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    position: BigInt = strawberry.field(
        description="Of the event that last changed its name, for example 51."
    )
    key: strawberry.Private[tuple[UUID, UUID]]  # workspace, label

    @classmethod
    def of(cls, row: LabelRow) -> Label:
        return cls(
            id=node_id("Label", row.label_id),
            name=row.name,
            colour=row.colour,
            description=row.description,
            created_at=row.created_at,
            position=BigInt(row.position),
            key=(row.workspace_id, row.label_id),
        )

    async def counts(self, info: Ask) -> LabelCounts:
        found: LabelCounts = await info.context.load(queries.label_counts, self.key)
        return found

    @strawberry.field(
        description="Messages that it was put on and that are there, for example 12. Those that "
        "only belong to a conversation with it are not counted."
    )
    async def message_count(self, info: Ask) -> BigInt:
        return BigInt((await self.counts(info)).messages)

    @strawberry.field(
        description="Conversations that it was put on and that are there, for example 3."
    )
    async def conversation_count(self, info: Ask) -> BigInt:
        return BigInt((await self.counts(info)).conversations)


async def labels(
    info: Ask,
    workspace: InWorkspace = "default",
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Label] | None:
    return await page_in(
        info,
        workspace,
        MODELS,
        min_position,
        LABELS,
        LABELS.window(first=first, after=after, last=last, before=before),
        lambda database, workspace_id, window: queries.labels_page(
            database, workspace_id, window=window
        ),
        Label.of,
    )


def find_labels(
    database: Database[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, Label]:
    found = queries.labels_among(database, workspaces, ids)
    return {id: Label.of(row) for id, row in found.items()}
