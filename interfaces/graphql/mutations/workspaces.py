"""Mutations about workspaces."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry

from application.archive import Accepted
from application.commands.create_workspace import CreateWorkspace
from interfaces.graphql.context import Ask
from interfaces.graphql.mutations.answers import (
    COMMAND_ID,
    CommandIdReused,
    MutationSuccess,
    WorkspaceNameRefused,
    carry_out,
)
from interfaces.graphql.reading import among
from interfaces.graphql.refusals import ArgumentRefused
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.workspace import Workspace, find_workspaces


@strawberry.input(description="What `createWorkspace` needs.")
class CreateWorkspaceInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    name: str = strawberry.field(
        description="1 to 100 printable characters, for example `Legal`. Names that differ only "
        "in case are the same workspace."
    )


@strawberry.type(description="There is a workspace of this name now.")
class CreateWorkspaceSuccess(MutationSuccess):
    is_new: bool = strawberry.field(description="False: there was one of this name already.")
    workspace: Workspace | None = strawberry.field(
        description="Null: it is recorded, and will be shown in a moment."
    )


CreateWorkspaceAnswer = Annotated[
    CreateWorkspaceSuccess | WorkspaceNameRefused | CommandIdReused | ArgumentRefused,
    strawberry.union("CreateWorkspaceAnswer", description="The workspace, or why there is none."),
]


async def create_workspace(
    info: Ask,
    input: Annotated[CreateWorkspaceInput, strawberry.argument(description="Which one.")],
) -> Any:
    container = info.context.container
    command = CreateWorkspace(name=input.name)
    accepted = await carry_out(
        info, input.command_id, lambda context: container.create_workspace(command, context)
    )
    if not isinstance(accepted, Accepted):
        return accepted
    await info.context.caught_up(info, ["workspaces"], accepted.position)
    id_ = UUID(str(accepted.result["workspace_id"]))
    found = await info.context.read(partial(among, info, find_workspaces, [id_]))
    return CreateWorkspaceSuccess(
        command_id=input.command_id,
        position=BigInt(accepted.position),
        is_new=bool(accepted.result["is_new"]),
        workspace=found.get(id_),
    )
