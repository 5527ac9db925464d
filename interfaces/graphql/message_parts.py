"""What belongs to a message: its kind, its earlier texts, reactions and attachments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry

from interfaces.graphql.author import Author
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.pages import ENTRIES
from interfaces.graphql.reading import After, Before, First, Last, entries
from interfaces.graphql.scalars import BigInt
from projections.authors.queries import authors_by_id
from projections.messages.queries import VersionRow


@strawberry.enum(description="What a line of a chat is.")
class MessageKind(Enum):
    MESSAGE = strawberry.enum_value("message", description="Somebody wrote it.")
    SYSTEM = strawberry.enum_value("system", description="The chat system wrote it.")
    ACTION = strawberry.enum_value("action", description="Somebody did something: joined, called.")
    DELETED = strawberry.enum_value("deleted", description="Deleted before the chat was exported.")


@strawberry.enum(description="How exactly an export says when something was sent.")
class TimePrecision(Enum):
    MICROSECOND = strawberry.enum_value("microsecond", description="To the microsecond.")
    MILLISECOND = strawberry.enum_value("millisecond", description="To the millisecond.")
    SECOND = strawberry.enum_value("second", description="To the second.")
    MINUTE = strawberry.enum_value("minute", description="To the minute.")
    DAY = strawberry.enum_value("day", description="To the day.")


@strawberry.enum(description="How the time zone of a message is known.")
class ZoneSource(Enum):
    STATED = strawberry.enum_value("stated", description="The export states it.")
    DERIVED = strawberry.enum_value("derived", description="It follows from the file.")
    ASSUMED = strawberry.enum_value("assumed", description="Nobody said it: it was assumed.")


@strawberry.type(description="A text that a message had before.")
class MessageVersion:
    version: int = strawberry.field(
        description="Its place among the message's texts, from 1; for example 2."
    )
    text: str = strawberry.field(
        description="Whole, as it was written, for example `Who brings the life jackets?`."
    )
    superseded_at: datetime | None = strawberry.field(
        description="When it was replaced, by the source's account, in UTC, for example "
        "`2024-03-01T09:02:00+00:00`; null: not known."
    )
    position: BigInt = strawberry.field(description="Of the event that says so, for example 51.")

    @classmethod
    def of(cls, row: VersionRow) -> MessageVersion:
        return cls(
            version=row.version,
            text=row.text,
            superseded_at=row.superseded_at,
            position=BigInt(row.position),
        )


@strawberry.type(description="A file that came with a message: what it was, not its bytes.")
class Attachment:
    name: str = strawberry.field(description="As the export names it, for example `plan.pdf`.")
    media_type: str | None = strawberry.field(
        description="For example `image/jpeg`; null: the export does not say."
    )
    size: BigInt | None = strawberry.field(
        description="Bytes, for example 20480; null: the export does not say."
    )

    @classmethod
    def of(cls, name: str, media_type: str | None, size: int | None) -> Attachment:
        return cls(name=name, media_type=media_type, size=None if size is None else BigInt(size))


@strawberry.type(description="One way in which people reacted to a message.")
class Reaction:
    value: str = strawberry.field(
        description="An emoji, or the chat system's name for it, for example `thumbsup`."
    )
    total: int = strawberry.field(
        description="How many reacted so, for example 3; the export may list fewer of them."
    )
    workspace_id: strawberry.Private[UUID]
    people: strawberry.Private[list[UUID]]

    @classmethod
    def of(cls, workspace_id: UUID, value: str, people: Sequence[str], total: int) -> Reaction:
        ids = [UUID(id) for id in people]
        return cls(value=value, total=total, workspace_id=workspace_id, people=ids)

    @strawberry.field(description="Who reacted so, as far as the export lists them.")
    async def authors(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Author]:
        window = ENTRIES.window(first=first, after=after, last=last, before=before)
        return await entries(
            info, self.workspace_id, self.people, window, authors_by_id, Author.of, Author.named
        )
