"""What belongs to a preview: how dates are read, samples, conversations as they would be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from interfaces.graphql.message_parts import ZoneSource
from interfaces.graphql.node_ids import node_id
from interfaces.graphql.scalars import BigInt


@strawberry.enum(description="What somebody has to say before an upload is read.")
class UploadQuestion(Enum):
    CONFIRMATION = strawberry.enum_value("confirmation", description="That it may be read.")
    DATE_ORDER = strawberry.enum_value(
        "date_order",
        description="In which order its dates are: the file can be read in more than one.",
    )
    FORMAT = strawberry.enum_value(
        "format", description="Which format it has: more than one claims the file equally."
    )


@strawberry.enum(description="Who decides in which order dates are read.")
class DateOrderSource(Enum):
    FILE = strawberry.enum_value("file", description="Only one order is possible.")
    PERSON = strawberry.enum_value("person", description="It was said with the upload.")


@strawberry.type(description="A format that a file may have.")
class FormatCandidate:
    format: str = strawberry.field(description="Say it as `format`, for example `whatsapp`.")
    reason: str = strawberry.field(
        description="What speaks for it, for example `lines begin with a date and a name`."
    )


@strawberry.type(description="How much an upload holds.")
class PreviewCounts:
    conversations: int = strawberry.field(description="Conversations, for example 12.")
    messages: BigInt = strawberry.field(
        description="Messages, without the chat system's notices, for example 5200."
    )
    system: BigInt = strawberry.field(description="Notices of the chat system, for example 31.")
    authors: int = strawberry.field(description="People who wrote, for example 4.")
    attachments: BigInt = strawberry.field(description="Files that were sent, for example 87.")

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> PreviewCounts | None:
        if found["format"] is None:
            return None
        return cls(
            conversations=found["conversation_count"],
            messages=BigInt(found["messages"]),
            system=BigInt(found["system"]),
            authors=found["authors"],
            attachments=BigInt(found["attachments"]),
        )


@strawberry.type(description="How many times have a zone that comes from the same source.")
class ZoneCount:
    source: ZoneSource = strawberry.field(description="Where it comes from.")
    messages: BigInt = strawberry.field(
        description="Messages with such a time, notices included, for example 5231."
    )

    @classmethod
    def of(cls, source: str, messages: int) -> ZoneCount:
        return cls(source=ZoneSource(source), messages=BigInt(messages))


@strawberry.type(description="How dates in numbers, such as 03/04/2024, are read.")
class PreviewDates:
    chosen: str = strawberry.field(
        description="`ymd`, `dmy` or `mdy`; where nobody decides, the likeliest; for example `dmy`."
    )
    possible: list[str] = strawberry.field(
        description="All that the dates permit, the chosen one first, for example `[dmy, mdy]`."
    )
    decided_by: DateOrderSource | None = strawberry.field(
        description="Null: nobody. It is not read before somebody says the order."
    )
    doubt: str | None = strawberry.field(
        description="Why the chosen order is but likely, for example `it keeps time from going "
        "back`; null: it is certain."
    )
    files: list[str] = strawberry.field(
        description="Those that leave it open, the first few, for example `[_chat.txt]`."
    )

    @classmethod
    def of(cls, dates: Mapping[str, Any]) -> PreviewDates:
        by = dates["decided_by"]
        return cls(
            chosen=dates["chosen"],
            possible=dates["possible"],
            decided_by=None if by is None else DateOrderSource(by),
            doubt=dates["doubt"],
            files=dates["files"],
        )


@strawberry.type(description="A message's time as it is read under one order of dates.")
class SampleReading:
    order: str | None = strawberry.field(
        description="`ymd`, `dmy` or `mdy`, for example `dmy`; null: its date is not in numbers."
    )
    at: datetime | None = strawberry.field(
        description="In UTC, for example `2024-03-01T09:02:00+00:00`; null: there is no such date."
    )


@strawberry.type(description="One message of the file.")
class SampleLine:
    author: str | None = strawberry.field(
        description="Who wrote it, for example `Ada`; null: nobody is named."
    )
    text: str = strawberry.field(
        description="Its first 200 characters, for example `Who brings the life jackets?`."
    )
    readings: list[SampleReading] = strawberry.field(
        description="Its time, under the chosen order first."
    )

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> SampleLine:
        return cls(
            author=line["author"],
            text=line["text"],
            readings=[
                SampleReading(
                    order=one["order"],
                    at=None if one["at"] is None else datetime.fromisoformat(one["at"]),
                )
                for one in line["readings"]
            ],
        )


@strawberry.type(description="Which column of a table holds what.")
class ColumnMapping:
    field: str = strawberry.field(description="What it holds, for example `sent_at`.")
    column: str = strawberry.field(description="The table's own name of it, for example `Zeit`.")


@strawberry.type(description="Something in the file that is kept, but not understood.")
class UnknownKey:
    key: str = strawberry.field(description="Where it stands, for example `messages.via_bot`.")
    count: int = strawberry.field(description="How often, for example 12.")


@strawberry.type(description="Messages by what they would be to the archive.")
class ComparedCounts:
    fresh: BigInt = strawberry.field(description="No earlier upload has them; for example 700.")
    known: BigInt = strawberry.field(
        description="An earlier upload has them, with this text; for example 5200."
    )
    edited: BigInt = strawberry.field(
        description="An earlier upload has them with another text; for example 3."
    )
    vanished: BigInt = strawberry.field(
        description="Earlier uploads have them, and this one, which covers their time, has not; "
        "for example 1."
    )

    @classmethod
    def of(cls, compared: Mapping[str, Any]) -> ComparedCounts:
        return cls(
            fresh=BigInt(compared["fresh"]),
            known=BigInt(compared["known"]),
            edited=BigInt(compared["edited"]),
            vanished=BigInt(compared["vanished"]),
        )


@strawberry.type(description="A conversation as it would be read.")
class PreviewedConversation:
    source_id: str = strawberry.field(
        description="What the source calls it, for example `Boat trip` or `C024BE91L`."
    )
    title: str = strawberry.field(description="For example `Boat trip`.")
    kind: str = strawberry.field(
        description="`direct`, `group`, `channel`, `ai` or `unknown`, for example `group`."
    )
    messages: BigInt = strawberry.field(
        description="Without the chat system's notices, for example 5200."
    )
    comparison: ComparedCounts | None = strawberry.field(
        description="What it would bring, notices included; null: it has nothing to compare."
    )
    rule: str | None = strawberry.field(
        description="Why it is one that the archive has, or is not, for example `the same "
        "conversation by what the source calls it`; null: as for `comparison`."
    )
    merges_into: strawberry.ID | None = strawberry.field(
        description="The archive's conversation that it becomes part of, for example "
        "`Conversation:5b1f0d3c-6a55-5d0e-9f43-0f6a2c1f1d4e`; null: it is new."
    )

    @classmethod
    def of(
        cls, found: Mapping[str, Any], compared: Mapping[str, Any] | None
    ) -> PreviewedConversation:
        into = None if compared is None else compared["merges_into"]
        return cls(
            source_id=found["id"],
            title=found["title"],
            kind=found["kind"],
            messages=BigInt(found["messages"]),
            comparison=None if compared is None else ComparedCounts.of(compared),
            rule=None if compared is None else compared["rule"],
            merges_into=None if into is None else node_id("Conversation", into),
        )
