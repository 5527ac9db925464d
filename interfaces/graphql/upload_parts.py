"""What belongs to an upload: its stage, its counts, its warnings, its log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from interfaces.graphql.scalars import BigInt
from projections.messages.counts import OutcomeRow
from projections.uploads.queries import LogLineRow, UploadRow


@strawberry.enum(description="How far an upload has come.")
class UploadStage(Enum):
    RECEIVED = strawberry.enum_value("received", description="Its bytes are kept.")
    INSPECTED = strawberry.enum_value(
        "inspected", description="What it holds is known; it may wait for somebody, see `awaits`."
    )
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
    position: BigInt = strawberry.field(description="Of its event, for example 1024.")
    at: datetime = strawberry.field(
        description="When it was recorded, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    level: LogLevel = strawberry.field(description="How serious it is.")
    text: str = strawberry.field(
        description="A sentence for people, for example `700 messages were recorded`."
    )

    @classmethod
    def of(cls, row: LogLineRow) -> UploadLogLine:
        return cls(
            position=BigInt(row.position), at=row.at, level=LogLevel(row.level), text=row.text
        )


@strawberry.type(description="A part of the file that was left out.")
class UploadWarning:
    file: str = strawberry.field(
        description="The file, or the one inside the archive, for example `result.json`."
    )
    line: int | None = strawberry.field(
        description="From 1, for example 87; null where lines mean nothing."
    )
    reason: str = strawberry.field(
        description="What is wrong with it, for example `the file ends in the middle of a message`."
    )

    @classmethod
    def of(cls, warning: Mapping[str, Any]) -> UploadWarning:
        return cls(file=warning["file"], line=warning.get("line"), reason=warning["reason"])


@strawberry.type(description="What was found in the file when it was inspected.")
class UploadCounts:
    conversations: int = strawberry.field(description="Conversations, for example 12.")
    messages: int = strawberry.field(
        description="Messages, without the chat system's notices, for example 5200."
    )
    system: int = strawberry.field(description="Notices of the chat system, for example 31.")
    authors: int = strawberry.field(description="People who wrote, for example 4.")

    @classmethod
    def of(cls, row: UploadRow) -> UploadCounts | None:
        if row.messages is None:
            return None
        return cls(
            conversations=row.conversations or 0,
            messages=row.messages,
            system=row.system or 0,
            authors=row.authors or 0,
        )


@strawberry.type(description="How much of an upload is done.")
class UploadProgress:
    batches: int | None = strawberry.field(
        description="In all, for example 11; null: not read to its end yet."
    )
    batches_recorded: int = strawberry.field(
        description="Batches of messages in the log, for example 7."
    )
    messages_recorded: int = strawberry.field(
        description="Messages in the log, with notices, for example 3500."
    )
    texts: int = strawberry.field(description="Of these, texts to be embedded, for example 3400.")
    texts_embedded: int = strawberry.field(
        description="Texts with a vector, new or reused, for example 1200."
    )

    @classmethod
    def of(cls, row: UploadRow) -> UploadProgress:
        return cls(
            batches=row.batches,
            batches_recorded=row.batches_recorded,
            messages_recorded=row.messages_recorded,
            texts=row.texts,
            texts_embedded=row.texts_embedded,
        )


@strawberry.type(description="What an upload brought that was not there, in messages.")
class UploadOutcome:
    fresh: BigInt = strawberry.field(description="No earlier upload had them; for example 700.")
    known: BigInt = strawberry.field(
        description="An earlier upload had them, with this text; for example 5200."
    )
    edited: BigInt = strawberry.field(
        description="An earlier upload had them with another text; for example 3."
    )
    vanished: BigInt = strawberry.field(
        description="Earlier uploads had them, and this one, which covers their time, has "
        "not; for example 1."
    )

    @classmethod
    def of(cls, row: OutcomeRow) -> UploadOutcome:
        return cls(
            fresh=BigInt(row.fresh),
            known=BigInt(row.known),
            edited=BigInt(row.edited),
            vanished=BigInt(row.vanished),
        )
