"""Mutations about read models. What they ask for is done by a job, which may take minutes."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from application.archive import Accepted
from application.commands.rebuild_projection import RebuildProjection, RollBackProjection
from interfaces.graphql.context import Ask
from interfaces.graphql.mutations.answers import (
    COMMAND_ID,
    CommandIdReused,
    MutationSuccess,
    NothingToRollBackTo,
    ProjectionNotFound,
    RebuildRunning,
    carry_out,
)
from interfaces.graphql.projection import Projection, projection
from interfaces.graphql.refusals import ArgumentRefused
from interfaces.graphql.scalars import BigInt

NAME = "The read model's name, for example `messages`."


@strawberry.input(description="What `rebuildProjection` needs.")
class RebuildProjectionInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    name: str = strawberry.field(description=NAME)


@strawberry.input(description="What `rollBackProjection` needs.")
class RollBackProjectionInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    name: str = strawberry.field(description=NAME)


@strawberry.type(
    description="It will be built anew, beside the version that is read, and then swapped. "
    "`projection` shows how far it is, the audit trail of the instance how it ended."
)
class RebuildProjectionSuccess(MutationSuccess):
    projection: Projection | None = strawberry.field(description="As it is now.")


@strawberry.type(
    description="The version before will be read again. The audit trail of the instance shows how "
    "it ended."
)
class RollBackProjectionSuccess(MutationSuccess):
    projection: Projection | None = strawberry.field(description="As it is now.")


RebuildProjectionAnswer = Annotated[
    RebuildProjectionSuccess
    | ProjectionNotFound
    | RebuildRunning
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union(
        "RebuildProjectionAnswer", description="The read model, or why it is not rebuilt."
    ),
]
RollBackProjectionAnswer = Annotated[
    RollBackProjectionSuccess
    | ProjectionNotFound
    | RebuildRunning
    | NothingToRollBackTo
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union(
        "RollBackProjectionAnswer", description="The read model, or why it stays as it is."
    ),
]


async def rebuild_projection(
    info: Ask,
    input: Annotated[RebuildProjectionInput, strawberry.argument(description="Which one.")],
) -> Any:
    command = RebuildProjection(name=input.name)
    return await ask(info, input.command_id, command, RebuildProjectionSuccess)


async def roll_back_projection(
    info: Ask,
    input: Annotated[RollBackProjectionInput, strawberry.argument(description="Which one.")],
) -> Any:
    command = RollBackProjection(name=input.name)
    return await ask(info, input.command_id, command, RollBackProjectionSuccess)


async def ask(
    info: Ask,
    command_id: strawberry.ID,
    command: RebuildProjection | RollBackProjection,
    success: type[RebuildProjectionSuccess | RollBackProjectionSuccess],
) -> Any:
    handle = info.context.container.rebuild_projection
    accepted = await carry_out(info, command_id, lambda context: handle(command, context))
    if not isinstance(accepted, Accepted):
        return accepted
    return success(
        command_id=command_id,
        position=BigInt(accepted.position),
        projection=await projection(info, command.name),
    )
