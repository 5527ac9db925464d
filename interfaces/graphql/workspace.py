"""Workspaces: archives that are separate from each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.node import Node
from interfaces.graphql.node_ids import node_id
from interfaces.graphql.pages import WORKSPACES
from interfaces.graphql.reading import After, Before, First, Last, MinPosition, among
from interfaces.graphql.scalars import BigInt
from projections.messages.counts import workspace_totals
from projections.paging import Slice
from projections.workspaces import queries
from projections.workspaces.queries import WorkspaceRow


@strawberry.type(description="An archive of its own, separate from every other.")
class Workspace(Node):
    name: str = strawberry.field(
        description="As it was created, for example `default`. Case makes no difference."
    )
    created_at: datetime = strawberry.field(
        description="When it was created, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    position: BigInt = strawberry.field(
        description="Of the event that last changed it, for example 1."
    )
    workspace_id: strawberry.Private[UUID]

    @classmethod
    def of(cls, row: WorkspaceRow) -> Workspace:
        return cls(
            id=node_id("Workspace", row.workspace_id),
            name=row.name,
            created_at=row.created_at,
            position=BigInt(row.position),
            workspace_id=row.workspace_id,
        )

    @strawberry.field(description="How many messages it has, of every kind, for example 52224.")
    async def message_count(self, info: Ask) -> BigInt:
        total = await info.context.load(workspace_totals, (self.workspace_id,))
        return BigInt(0 if total is None else total.messages)


async def workspaces(
    info: Ask,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Workspace] | None:
    window = WORKSPACES.window(first=first, after=after, last=last, before=before)
    info.context.spend_window(window)
    await info.context.caught_up(info, ["workspaces"], min_position)

    def find(database: Database[Any]) -> Slice[WorkspaceRow]:
        readable = info.context.readable(database)
        return queries.workspaces_page(database, readable, window=window)

    return WORKSPACES.connection(await info.context.read(find), window, Workspace.of)


async def workspace(
    info: Ask,
    name: Annotated[
        str,
        strawberry.argument(
            description="Its name or its id, for example `default`. Case makes no difference."
        ),
    ] = "default",
    min_position: MinPosition = None,
) -> Workspace | None:
    await info.context.caught_up(info, ["workspaces"], min_position)
    id = info.context.workspace_id(name)
    found = await info.context.read(partial(among, info, find_workspaces, [id]))
    return found.get(id)


def find_workspaces(
    database: Database[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, Workspace]:
    readable = [id for id in ids if id in set(workspaces)]
    found = queries.workspaces_by_id(database, readable)
    return {id: Workspace.of(row) for id, row in found.items()}
