"""Mutations about uploads. Files themselves are sent to `POST /api/uploads`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from application.archive import Accepted
from application.commands.retry_upload import RetryUpload
from application.commands.withdraw_upload import WithdrawUpload
from application.context import Context
from domain.workspace import UnknownWorkspaceError
from interfaces.graphql.context import Ask
from interfaces.graphql.mutations.answers import (
    COMMAND_ID,
    CommandIdReused,
    MutationSuccess,
    NothingToRetry,
    OptionsRefused,
    OptionsSettled,
    UploadRefused,
    UploadWithdrawn,
    carry_out,
    no_upload,
    refusal_of,
)
from interfaces.graphql.node_ids import parse_id
from interfaces.graphql.refusals import ArgumentRefused, UnknownWorkspace, UploadNotFound
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.upload import Upload
from projections.uploads import queries
from projections.uploads.queries import UploadRow

UPLOAD_ID = "The upload's id, for example `Upload:5b1f0d3c-6a55-5d0e-9f43-0f6a2c1f1d4e`."
WORKSPACE = "Its workspace's name or id, for example `default`."
SHOWN = "As it is now; null: it is recorded, and will be shown in a moment."


@strawberry.input(description="Which column of a table holds what.")
class ColumnInput:
    field: str = strawberry.field(
        description="`sent_at`, `clock`, `author`, `author_id`, `text`, `conversation`, `key`, "
        "`reply_to`, `thread`, `edited_at`, `kind`, `attachments` or `reactions`; for example "
        "`sent_at`."
    )
    column: str = strawberry.field(description="The table's own name of it, for example `Zeit`.")


@strawberry.input(
    description="What you say about the file, instead of what was said when it was sent."
)
class UploadOptionsInput:
    format: str | None = strawberry.field(
        default=None, description="Do not guess the format, for example `whatsapp`."
    )
    timezone: str | None = strawberry.field(
        default=None,
        description="Of times that state no zone, an IANA name, for example `Europe/Berlin`.",
    )
    date_order: str | None = strawberry.field(
        default=None,
        description="`ymd`, `dmy` or `mdy`, of dates such as 03/04/2024; for example `dmy`.",
    )

    columns: list[ColumnInput] | None = strawberry.field(
        default=None, description="Of a table, which column holds what. Others are guessed."
    )
    merge: str | None = strawberry.field(
        default=None,
        description="What of it may become part of conversations that are there: `auto`, what is "
        "the same chat by its texts, times and people; `ids`, only what the source's ids or names "
        "say; `never`, nothing. For example `ids`.",
    )

    def given(self) -> dict[str, Any]:
        found = {
            "merge": self.merge,
            "format": self.format,
            "timezone": self.timezone,
            "date_order": self.date_order,
            "columns": {one.field: one.column for one in self.columns or ()},
        }
        return {name: value for name, value in found.items() if value}


@strawberry.input(description="What `retryUpload` needs.")
class RetryUploadInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=UPLOAD_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    options: UploadOptionsInput | None = strawberry.field(
        default=None, description="Null: as before."
    )


@strawberry.input(description="What `withdrawUpload` needs.")
class WithdrawUploadInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=UPLOAD_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)


@strawberry.type(description="The upload is being tried again.")
class RetryUploadSuccess(MutationSuccess):
    upload: Upload | None = strawberry.field(description=SHOWN)


@strawberry.type(
    description="The upload is withdrawn: its messages are gone from every answer, unless another "
    "upload has them too, and its bytes are being deleted."
)
class WithdrawUploadSuccess(MutationSuccess):
    upload: Upload | None = strawberry.field(description=SHOWN)


RetryUploadAnswer = Annotated[
    RetryUploadSuccess
    | UploadNotFound
    | UploadRefused
    | UnknownWorkspace
    | NothingToRetry
    | UploadWithdrawn
    | OptionsRefused
    | OptionsSettled
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("RetryUploadAnswer", description="The upload, or why it is not tried again."),
]
WithdrawUploadAnswer = Annotated[
    WithdrawUploadSuccess
    | UploadNotFound
    | UploadRefused
    | UnknownWorkspace
    | UploadWithdrawn
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("WithdrawUploadAnswer", description="The upload, or why it stays."),
]


async def retry_upload(
    info: Ask,
    input: Annotated[RetryUploadInput, strawberry.argument(description="Which one, and how.")],
) -> Any:
    options = {} if input.options is None else input.options.given()

    def handle(upload_id: UUID, context: Context) -> Accepted:
        command = RetryUpload(upload_id=upload_id, options=options)
        return info.context.container.retry_upload(command, context)

    return await change(info, input, handle, RetryUploadSuccess)


async def withdraw_upload(
    info: Ask,
    input: Annotated[WithdrawUploadInput, strawberry.argument(description="Which one.")],
) -> Any:
    def handle(upload_id: UUID, context: Context) -> Accepted:
        command = WithdrawUpload(upload_id=upload_id)
        return info.context.container.withdraw_upload(command, context)

    return await change(info, input, handle, WithdrawUploadSuccess)


class AboutUpload(Protocol):
    """What every input of these mutations has."""

    command_id: strawberry.ID
    id: strawberry.ID
    workspace: str


async def change(
    info: Ask,
    input: AboutUpload,
    handle: Callable[[UUID, Context], Accepted],
    success: Callable[..., MutationSuccess],
) -> Any:
    """Look for the upload in the workspace, carry out, and show it as it is then."""
    upload_id = parse_id("Upload", input.id)
    if upload_id is None:
        return no_upload()
    try:
        workspace_id = await info.context.known_workspace(info, input.workspace)
    except UnknownWorkspaceError as error:
        return refusal_of(error)
    accepted = await carry_out(
        info, input.command_id, lambda context: handle(upload_id, context), workspace_id
    )

    def shown(database: Database[Any]) -> UploadRow | None:
        return queries.upload(database, workspace_id, upload_id)

    if isinstance(accepted, UploadNotFound):
        row = await info.context.read(shown)
        return accepted if row is None or row.stage != "refused" else refused()
    if not isinstance(accepted, Accepted):
        return accepted
    await info.context.caught_up(info, ["uploads"], accepted.position)
    row = await info.context.read(shown)
    return success(
        command_id=input.command_id,
        position=BigInt(accepted.position),
        upload=None if row is None else Upload.of(row),
    )


def refused() -> UploadRefused:
    return UploadRefused(
        code="UPLOAD_REFUSED",
        message="its bytes were not accepted, and nothing of them is kept: send the file again",
    )
