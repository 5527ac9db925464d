"""Mutations between an upload's inspection and its reading."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import strawberry

from application.archive import Accepted
from application.commands.confirm_upload import ConfirmUpload
from application.commands.inspect_upload import InspectUpload
from application.context import Context
from interfaces.graphql.context import Ask
from interfaces.graphql.mutations.answers import (
    COMMAND_ID,
    CommandIdReused,
    MutationSuccess,
    NothingToConfirm,
    OptionsRefused,
    OptionsSettled,
    QuestionOpen,
    UploadRefused,
    UploadWithdrawn,
)
from interfaces.graphql.mutations.uploads import (
    SHOWN,
    UPLOAD_ID,
    WORKSPACE,
    UploadOptionsInput,
    change,
)
from interfaces.graphql.refusals import ArgumentRefused, UnknownWorkspace, UploadNotFound
from interfaces.graphql.upload import Upload


@strawberry.input(description="What `inspectUpload` needs.")
class InspectUploadInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=UPLOAD_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    options: UploadOptionsInput | None = strawberry.field(
        default=None, description="All of them, instead of the earlier ones. Null: as before."
    )


@strawberry.input(description="What `confirmUpload` needs.")
class ConfirmUploadInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=UPLOAD_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    options: UploadOptionsInput | None = strawberry.field(
        default=None,
        description="What `awaits` asks for, in addition to what was said before. Null: nothing.",
    )


@strawberry.type(
    description="The upload is being inspected. Its stage is INSPECTED, and `preview` is there, "
    "when that is done; follow `uploadChanged`."
)
class InspectUploadSuccess(MutationSuccess):
    upload: Upload | None = strawberry.field(description=SHOWN)


@strawberry.type(
    description="The upload is being read. Where other options than those of its inspection leave "
    "something open it waits again, see `awaits`."
)
class ConfirmUploadSuccess(MutationSuccess):
    upload: Upload | None = strawberry.field(description=SHOWN)


InspectUploadAnswer = Annotated[
    InspectUploadSuccess
    | UploadNotFound
    | UploadRefused
    | UnknownWorkspace
    | UploadWithdrawn
    | OptionsRefused
    | OptionsSettled
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("InspectUploadAnswer", description="The upload, or why it stays as it is."),
]
ConfirmUploadAnswer = Annotated[
    ConfirmUploadSuccess
    | UploadNotFound
    | UploadRefused
    | UnknownWorkspace
    | UploadWithdrawn
    | QuestionOpen
    | NothingToConfirm
    | OptionsRefused
    | OptionsSettled
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("ConfirmUploadAnswer", description="The upload, or why it is not read."),
]


async def inspect_upload(
    info: Ask,
    input: Annotated[InspectUploadInput, strawberry.argument(description="Which one, and how.")],
) -> Any:
    options = None if input.options is None else input.options.given()

    def handle(upload_id: UUID, context: Context) -> Accepted:
        command = InspectUpload(upload_id=upload_id, options=options)
        return info.context.container.inspect_upload(command, context)

    return await change(info, input, handle, InspectUploadSuccess)


async def confirm_upload(
    info: Ask,
    input: Annotated[ConfirmUploadInput, strawberry.argument(description="Which one, and how.")],
) -> Any:
    options = {} if input.options is None else input.options.given()

    def handle(upload_id: UUID, context: Context) -> Accepted:
        command = ConfirmUpload(upload_id=upload_id, options=options)
        return info.context.container.confirm_upload(command, context)

    return await change(info, input, handle, ConfirmUploadSuccess)
