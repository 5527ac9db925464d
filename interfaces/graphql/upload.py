"""Uploads: how far each has come, and what happened on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection

from interfaces.graphql.context import MAX_FIRST, Ask
from interfaces.graphql.scalars import BigInt
from projections.uploads import queries
from projections.uploads.queries import LogLineRow, UploadRow

First = Annotated[int, strawberry.argument(description=f"At most so many, 1 to {MAX_FIRST}.")]
InWorkspace = Annotated[str, strawberry.argument(description="The archive's name.")]


@strawberry.enum(description="How far an upload has come.")
class UploadStage(Enum):
    RECEIVED = strawberry.enum_value("received", description="Its bytes are kept.")
    INSPECTED = strawberry.enum_value("inspected", description="What it holds is known.")
    READING = strawberry.enum_value("reading", description="Its messages are being recorded.")
    READ = strawberry.enum_value("read", description="Its words can be found.")
    SEARCHABLE = strawberry.enum_value("searchable", description="Its meaning can be found, too.")
    REJECTED = strawberry.enum_value("rejected", description="It is no chat export that we read.")
    FAILED = strawberry.enum_value("failed", description="A step broke, and can be tried again.")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="Somebody took it back.")
    REFUSED = strawberry.enum_value("refused", description="Its bytes were not accepted.")


@strawberry.enum(description="How serious a line of an upload's log is.")
class LogLevel(Enum):
    INFO = strawberry.enum_value("info", description="As it should be.")
    WARNING = strawberry.enum_value("warning", description="Something was left out or broke.")
    ERROR = strawberry.enum_value("error", description="It goes no further by itself.")


@strawberry.type(description="One thing that happened to an upload.")
class UploadLogLine:
    position: BigInt = strawberry.field(description="Of its event.")
    at: datetime = strawberry.field(description="When it was recorded, in UTC.")
    level: LogLevel = strawberry.field(description="How serious it is.")
    text: str = strawberry.field(description="A sentence for people.")

    @classmethod
    def of(cls, row: LogLineRow) -> UploadLogLine:
        return cls(
            position=BigInt(row.position), at=row.at, level=LogLevel(row.level), text=row.text
        )


@strawberry.type(description="A part of the file that was left out.")
class UploadWarning:
    file: str = strawberry.field(description="The file, or the one inside the archive.")
    line: int | None = strawberry.field(description="From 1; null where lines mean nothing.")
    reason: str = strawberry.field(description="What is wrong with it.")

    @classmethod
    def of(cls, warning: Mapping[str, Any]) -> UploadWarning:
        return cls(file=warning["file"], line=warning.get("line"), reason=warning["reason"])


@strawberry.type(description="What was found in the file when it was inspected.")
class UploadCounts:
    conversations: int = strawberry.field(description="Conversations.")
    messages: int = strawberry.field(description="Messages, without the chat system's notices.")
    system: int = strawberry.field(description="Notices of the chat system.")
    authors: int = strawberry.field(description="People who wrote.")


@strawberry.type(description="How much of an upload is done.")
class UploadProgress:
    batches: int | None = strawberry.field(description="In all; null: not read to its end yet.")
    batches_recorded: int = strawberry.field(description="Batches of messages in the log.")
    messages_recorded: int = strawberry.field(description="Messages in the log, with notices.")
    texts: int = strawberry.field(description="Of these, texts to be embedded.")
    texts_embedded: int = strawberry.field(description="Texts with a vector, new or reused.")


@strawberry.type(description="A chat export that was uploaded.")
class Upload:
    id: strawberry.ID = strawberry.field(description="Opaque; the same bytes have the same id.")
    filename: str = strawberry.field(description="As the uploader named it.")
    format: str | None = strawberry.field(description="Null: not recognised yet.")
    stage: UploadStage = strawberry.field(description="How far it has come.")
    size: BigInt = strawberry.field(description="Bytes; of a refused one those that arrived.")
    sha256: str | None = strawberry.field(description="Of the bytes, in hex; null: refused.")
    counts: UploadCounts | None = strawberry.field(description="Null: not inspected yet.")
    progress: UploadProgress = strawberry.field(description="How much is done.")
    first_at: datetime | None = strawberry.field(description="Time of its first message, in UTC.")
    last_at: datetime | None = strawberry.field(description="Time of its last message, in UTC.")
    is_complete: bool | None = strawberry.field(
        description="False: a broken tail was left out. Null: not inspected yet."
    )
    warnings: list[UploadWarning] = strawberry.field(description="Parts that were left out.")
    error: str | None = strawberry.field(description="What went wrong last and still stands.")
    attempts: int = strawberry.field(description="Of the step that failed last.")
    received_at: datetime = strawberry.field(description="When it was uploaded, in UTC.")
    updated_at: datetime = strawberry.field(description="When something last happened, in UTC.")
    position: BigInt = strawberry.field(description="Of the event that last changed it.")
    row: strawberry.Private[UploadRow]

    @classmethod
    def of(cls, row: UploadRow) -> Upload:
        return cls(
            id=strawberry.ID(str(row.upload_id)),
            filename=row.filename,
            format=row.format,
            stage=UploadStage(row.stage),
            size=BigInt(row.size),
            sha256=row.sha256,
            counts=counts(row),
            progress=UploadProgress(
                batches=row.batches,
                batches_recorded=row.batches_recorded,
                messages_recorded=row.messages_recorded,
                texts=row.texts,
                texts_embedded=row.texts_embedded,
            ),
            first_at=row.first_at,
            last_at=row.last_at,
            is_complete=row.is_complete,
            warnings=[UploadWarning.of(warning) for warning in row.warnings],
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
        first: First = 50,
        after: Annotated[
            BigInt | None,
            strawberry.argument(description="Only what followed this position."),
        ] = None,
    ) -> list[UploadLogLine]:
        info.context.spend_first(first)
        query = partial(
            queries.log_lines,
            workspace_id=self.row.workspace_id,
            upload_id=self.row.upload_id,
            after=after or 0,
            limit=first,
        )
        return [UploadLogLine.of(row) for row in await info.context.read(query)]


def counts(row: UploadRow) -> UploadCounts | None:
    if row.messages is None:
        return None
    return UploadCounts(
        conversations=row.conversations or 0,
        messages=row.messages,
        system=row.system or 0,
        authors=row.authors or 0,
    )


async def uploads(
    info: Ask, workspace: InWorkspace = "default", first: First = 50
) -> list[Upload] | None:
    info.context.spend_first(first)
    rows = await info.context.read_in(workspace, partial(queries.uploads, limit=first))
    return [Upload.of(row) for row in rows]


async def upload(
    info: Ask,
    id: Annotated[strawberry.ID, strawberry.argument(description="The upload's id.")],
    workspace: InWorkspace = "default",
) -> Upload | None:
    try:
        upload_id = UUID(id)
    except ValueError:
        return None  # no upload has such an id

    def find(connection: Connection[Any], workspace_id: UUID) -> UploadRow | None:
        return queries.upload(connection, workspace_id, upload_id)

    row = await info.context.read_in(workspace, find)
    return None if row is None else Upload.of(row)
