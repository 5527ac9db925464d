"""Workspaces: archives that are separate from each other."""

from __future__ import annotations

from datetime import datetime

import strawberry

from interfaces.graphql.context import Ask
from interfaces.graphql.scalars import BigInt
from projections.workspaces import queries
from projections.workspaces.queries import WorkspaceRow


@strawberry.type(description="An archive of its own, separate from every other.")
class Workspace:
    id: strawberry.ID = strawberry.field(description="Opaque.")
    name: str = strawberry.field(description="As it was created. Case makes no difference.")
    created_at: datetime = strawberry.field(description="When it was created, in UTC.")
    position: BigInt = strawberry.field(description="Of the event that last changed it.")

    @classmethod
    def of(cls, row: WorkspaceRow) -> Workspace:
        return cls(
            id=strawberry.ID(str(row.workspace_id)),
            name=row.name,
            created_at=row.created_at,
            position=BigInt(row.position),
        )


async def workspaces(info: Ask) -> list[Workspace]:
    return [Workspace.of(row) for row in await info.context.read(queries.workspaces)]
