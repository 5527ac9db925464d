"""Uploads: how far each has come, and what happened on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from infrastructure.previews.postgres import previews_by_upload
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.node import Node
from interfaces.graphql.node_ids import node_id, parse_id
from interfaces.graphql.pages import LOG_LINES, UPLOADS
from interfaces.graphql.preview import UploadPreview
from interfaces.graphql.preview_parts import UploadQuestion
from interfaces.graphql.reading import (
    After,
    Before,
    First,
    InWorkspace,
    Last,
    MinPosition,
    page_below,
    page_in,
)
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.upload_parts import (
    UploadCounts,
    UploadLogLine,
    UploadOutcome,
    UploadProgress,
    UploadStage,
    UploadWarning,
)
from projections.messages.counts import upload_outcomes
from projections.uploads import queries
from projections.uploads.queries import UploadRow


@strawberry.type(description="A chat export that was uploaded. The same bytes are the same upload.")
class Upload(Node):
    filename: str = strawberry.field(
        description="As the uploader named it, for example `result.json`."
    )
    format: str | None = strawberry.field(
        description="For example `telegram`; null: not recognised yet."
    )
    stage: UploadStage = strawberry.field(description="How far it has come.")
    size: BigInt = strawberry.field(
        description="Bytes, for example 1048576; of a refused one those that arrived."
    )
    sha256: str | None = strawberry.field(
        description="Of the bytes, in 64 hexadecimal digits, for example `9f86d081…`; null: "
        "refused."
    )
    counts: UploadCounts | None = strawberry.field(description="Null: not inspected yet.")
    progress: UploadProgress = strawberry.field(description="How much is done.")
    first_at: datetime | None = strawberry.field(
        description="Time of its first message, in UTC, for example `2024-03-01T09:02:00+00:00`."
    )
    last_at: datetime | None = strawberry.field(
        description="Time of its last message, in UTC, for example `2024-03-01T09:02:00+00:00`."
    )
    is_complete: bool | None = strawberry.field(
        description="False: a broken tail was left out. Null: not inspected yet."
    )
    warnings: list[UploadWarning] = strawberry.field(description="Parts that were left out.")
    awaits: list[UploadQuestion] = strawberry.field(
        description="What somebody has to say before it is read, with `confirmUpload`. Empty: it "
        "waits for nobody."
    )
    error: str | None = strawberry.field(
        description="What went wrong last and still stands, for example `the file is empty`."
    )
    attempts: int = strawberry.field(description="Of the step that failed last, for example 2.")
    received_at: datetime = strawberry.field(
        description="When it was uploaded, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    updated_at: datetime = strawberry.field(
        description="When something last happened, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    position: BigInt = strawberry.field(
        description="Of the event that last changed it, for example 1024."
    )
    row: strawberry.Private[UploadRow]

    @classmethod
    def of(cls, row: UploadRow) -> Upload:
        return cls(
            id=node_id("Upload", row.upload_id),
            filename=row.filename,
            format=row.format,
            stage=UploadStage(row.stage),
            size=BigInt(row.size),
            sha256=row.sha256,
            counts=UploadCounts.of(row),
            progress=UploadProgress.of(row),
            first_at=row.first_at,
            last_at=row.last_at,
            is_complete=row.is_complete,
            warnings=[UploadWarning.of(warning) for warning in row.warnings],
            awaits=[UploadQuestion(question) for question in row.questions],
            error=row.error,
            attempts=row.attempts,
            received_at=row.received_at,
            updated_at=row.updated_at,
            position=BigInt(row.position),
            row=row,
        )

    @strawberry.field(description="What happened to it, in order.")
    async def log(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[UploadLogLine]:
        window = LOG_LINES.window(first=first, after=after, last=last, before=before)
        key = (self.row.workspace_id, self.row.upload_id)
        load = queries.log_lines_by_upload
        return await page_below(info, load, key, LOG_LINES, window, UploadLogLine.of)

    @strawberry.field(
        description="What it holds and would bring, while it waits to be confirmed; null: it does "
        "not wait."
    )
    async def preview(self, info: Ask) -> UploadPreview | None:
        if not self.row.questions:
            return None
        key = (self.row.workspace_id, self.row.upload_id)
        found = await info.context.load(previews_by_upload, key)
        return None if found is None else UploadPreview.of(found)

    @strawberry.field(
        description="What it brought to the archive; null: none of its messages are there yet."
    )
    async def outcome(self, info: Ask) -> UploadOutcome | None:
        key = (self.row.workspace_id, self.row.upload_id)
        row = await info.context.load(upload_outcomes, key)
        return None if row is None else UploadOutcome.of(row)


async def uploads(
    info: Ask,
    workspace: InWorkspace = "default",
    stage: Annotated[
        list[UploadStage] | None,
        strawberry.argument(
            description="Only those that have come exactly so far, for example `[FAILED]`."
        ),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Upload] | None:
    stages = None if stage is None else [cast("str", one.value) for one in stage]
    return await page_in(
        info,
        workspace,
        ["uploads"],
        min_position,
        UPLOADS,
        UPLOADS.window(first=first, after=after, last=last, before=before),
        lambda database, workspace_id, window: queries.uploads_page(
            database, workspace_id, window=window, stages=stages
        ),
        Upload.of,
    )


async def upload(
    info: Ask,
    id: Annotated[
        strawberry.ID,
        strawberry.argument(
            description="The upload's id, for example "
            "`Upload:5b1f0d3c-6a55-5d0e-9f43-0f6a2c1f1d4e`."
        ),
    ],
    workspace: InWorkspace = "default",
    min_position: MinPosition = None,
) -> Upload | None:
    upload_id = parse_id("Upload", id)
    if upload_id is None:
        return None

    def find(database: Database[Any], workspace_id: UUID) -> UploadRow | None:
        return queries.upload(database, workspace_id, upload_id)

    await info.context.caught_up(info, ["uploads", "workspaces"], min_position)
    row = await info.context.read_in(workspace, find)
    return None if row is None else Upload.of(row)


def find_uploads(
    database: Database[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, Upload]:
    found = queries.uploads_among(database, workspaces, ids)
    return {id: Upload.of(row) for id, row in found.items()}
