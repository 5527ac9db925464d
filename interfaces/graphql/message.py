"""Messages, with who wrote them and where."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry

from application.ports.search import FoundMessage


@strawberry.enum(description="What a line of a chat is.")
class MessageKind(Enum):
    MESSAGE = strawberry.enum_value("message", description="Somebody wrote it.")
    SYSTEM = strawberry.enum_value("system", description="The chat system wrote it.")
    ACTION = strawberry.enum_value("action", description="Somebody did something: joined, called.")
    DELETED = strawberry.enum_value("deleted", description="Deleted before the chat was exported.")


@strawberry.type(description="Who wrote a message.")
class Author:
    id: strawberry.ID = strawberry.field(description="Opaque; the same in every conversation.")
    name: str = strawberry.field(description="As last seen in an export; “[erased]” after that.")

    @classmethod
    def of(cls, id: UUID | None, name: str | None) -> Author | None:
        return None if id is None else cls(id=strawberry.ID(str(id)), name=name or "")


@strawberry.type(description="A chat between people.")
class Conversation:
    id: strawberry.ID = strawberry.field(description="Opaque.")
    title: str = strawberry.field(description="As last seen in an export.")


@strawberry.type(description="One message of an archive.")
class Message:
    id: strawberry.ID = strawberry.field(description="Opaque; never used for another message.")
    text: str = strawberry.field(description="Whole, as it was written.")
    sent_at: datetime = strawberry.field(description="When it was sent, in UTC.")
    kind: MessageKind = strawberry.field(description="What kind of line it is.")
    author: Author | None = strawberry.field(description="Null where the chat system speaks.")
    conversation: Conversation = strawberry.field(description="Where it was said.")

    @classmethod
    def of(cls, found: FoundMessage) -> Message:
        return cls(
            id=strawberry.ID(str(found.id)),
            text=found.text,
            sent_at=found.sent_at,
            kind=MessageKind(found.kind),
            author=Author.of(found.author_id, found.author),
            conversation=Conversation(
                id=strawberry.ID(str(found.conversation_id)), title=found.conversation
            ),
        )
