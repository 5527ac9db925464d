"""What is known of one message by itself: its text, its author, its place, its uploads."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from application.archive import NotFoundError
from application.ports.search import FoundMessage
from interfaces.graphql.author import Author
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.conversation import Conversation
from interfaces.graphql.label import Label
from interfaces.graphql.message_parts import (
    Attachment,
    MessageKind,
    MessageVersion,
    Reaction,
    TimePrecision,
    ZoneSource,
)
from interfaces.graphql.node import Node
from interfaces.graphql.pages import ENTRIES, LABELS, VERSIONS
from interfaces.graphql.reading import After, Before, First, Last, entries, page_below
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.upload import Upload
from projections.authors.queries import authors_by_id
from projections.conversations.queries import conversations_by_id
from projections.labels.queries import labels_of_messages
from projections.messages import queries
from projections.messages.queries import MessageRow
from projections.uploads.queries import uploads_by_id


@strawberry.type(description="What is known of a message by itself.")
class MessageFacts(Node):
    text: str = strawberry.field(
        description="Whole, as it was written, for example `Who brings the life jackets?`."
    )
    sent_at: datetime = strawberry.field(
        description="When it was sent, in UTC, for example `2024-03-01T09:02:00+00:00`."
    )
    kind: MessageKind = strawberry.field(description="What kind of line it is.")
    language: str | None = strawberry.field(
        description="The language that it was found to be in, for example `de`; null: its text "
        "does not tell."
    )
    workspace_id: strawberry.Private[UUID]
    found: strawberry.Private[MessageRow | FoundMessage]

    async def details(self, info: Ask) -> MessageRow:
        """
        Raises:
            NotFoundError: it has gone since it was found.
        """
        if isinstance(self.found, MessageRow):
            return self.found
        key = (self.workspace_id, self.found.id)
        row: MessageRow | None = await info.context.load(queries.messages_by_id, key)
        if row is None:
            raise NotFoundError("the message is no longer there")
        self.found = row
        return row

    @strawberry.field(description="Who wrote it. Null where the chat system speaks.")
    async def author(self, info: Ask) -> Author | None:
        id = self.found.author_id
        if id is None:
            return None
        key = (self.workspace_id, id)
        if isinstance(self.found, FoundMessage):
            return Author.named(key, self.found.author)
        row = await info.context.load(authors_by_id, key)
        return Author.named(key, None) if row is None else Author.of(row)

    @strawberry.field(description="Where it was said.")
    async def conversation(self, info: Ask) -> Conversation:
        key = (self.workspace_id, self.found.conversation_id)
        if isinstance(self.found, FoundMessage):
            return Conversation.titled(key, self.found.conversation)
        row = await info.context.load(conversations_by_id, key)
        return Conversation.titled(key, None) if row is None else Conversation.of(row)

    @strawberry.field(description="How exactly the export says when it was sent.")
    async def precision(self, info: Ask) -> TimePrecision:
        return TimePrecision((await self.details(info)).precision)

    @strawberry.field(description="How its time zone is known.")
    async def zone(self, info: Ask) -> ZoneSource:
        return ZoneSource((await self.details(info)).zone)

    @strawberry.field(
        description="When it was edited, by the source's account, for example "
        "`2024-03-01T09:02:00+00:00`; null: not known."
    )
    async def edited_at(self, info: Ask) -> datetime | None:
        return (await self.details(info)).edited_at

    @strawberry.field(
        description="1, and one more for each text that it had before; for example 2."
    )
    async def version(self, info: Ask) -> int:
        return (await self.details(info)).version

    @strawberry.field(description="Texts that it had before, in the order they became known.")
    async def versions(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[MessageVersion]:
        window = VERSIONS.window(first=first, after=after, last=last, before=before)
        key = (self.workspace_id, number_of(self.found))
        made = MessageVersion.of
        return await page_below(info, queries.versions, key, VERSIONS, window, made)

    @strawberry.field(description="How people reacted to it.")
    async def reactions(self, info: Ask) -> list[Reaction]:
        row = await self.details(info)
        return [Reaction.of(row.workspace_id, *one) for one in row.reactions or ()]

    @strawberry.field(description="Files that came with it: what they were, not their bytes.")
    async def attachments(self, info: Ask) -> list[Attachment]:
        return [Attachment.of(*one) for one in (await self.details(info)).attachments or ()]

    @strawberry.field(
        description="What the export says of it that Chatledger does not understand, for "
        'example `{"via_bot": "@gif"}`; null: nothing.'
    )
    async def extra(self, info: Ask) -> JSON | None:
        extra = (await self.details(info)).extra
        return None if extra is None else JSON(extra)

    @strawberry.field(description="The upload in which it was seen first.")
    async def upload(self, info: Ask) -> Upload | None:
        row = await self.details(info)
        found = await info.context.load(uploads_by_id, (row.workspace_id, row.upload_ids[0]))
        return None if found is None else Upload.of(found)

    @strawberry.field(description="Every upload in which it was seen, the first one first.")
    async def uploads(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Upload]:
        row = await self.details(info)
        window = ENTRIES.window(first=first, after=after, last=last, before=before)
        return await entries(
            info, row.workspace_id, row.upload_ids, window, uploads_by_id, Upload.of
        )

    @strawberry.field(
        description="Labels that it has itself, by name. What its conversation has, the "
        "conversation says."
    )
    async def labels(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Label]:
        row = await self.details(info)
        key = (row.workspace_id, row.conversation_id, row.message_key)
        window = LABELS.window(first=first, after=after, last=last, before=before)
        return await page_below(info, labels_of_messages, key, LABELS, window, Label.of)

    @strawberry.field(
        description="A later upload that covers its time and does not have it; null: none."
    )
    async def vanished_in(self, info: Ask) -> Upload | None:
        row = await self.details(info)
        if row.vanished_in is None:
            return None
        found = await info.context.load(uploads_by_id, (row.workspace_id, row.vanished_in))
        return None if found is None else Upload.of(found)

    @strawberry.field(description="Of the event that last changed it, for example 51.")
    async def position(self, info: Ask) -> BigInt:
        return BigInt((await self.details(info)).position)


def number_of(found: MessageRow | FoundMessage) -> int:
    return found.message_id if isinstance(found, MessageRow) else found.id
