"""What a chat message is, whatever system it was exported from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

ConversationKind = Literal["direct", "group", "channel", "ai", "unknown"]
MessageKind = Literal["message", "system", "action", "deleted"]
Precision = Literal["microsecond", "millisecond", "second", "minute", "day"]
Zone = Literal["stated", "derived", "assumed"]

READING_ENDED = "(reading ended here)"  # the end of a warning's reason, where nothing follows it

# Tuples, not dataclasses: an archive has millions of them, made in the readers' inner loops.


class Conversation(NamedTuple):
    """A conversation as its export names it. Comes before the first of its messages."""

    id: str  # the source's id; where it has none, its title
    title: str
    kind: ConversationKind


class Author(NamedTuple):
    id: str  # the source's id; where it has none, the name
    name: str  # as displayed when the message was exported


class Reaction(NamedTuple):
    value: str  # an emoji, or the source's name for it without colons
    authors: tuple[str, ...]  # source ids, as far as the export lists them
    total: int  # may exceed len(authors)


class Attachment(NamedTuple):
    name: str
    media_type: str | None  # MIME type where the source states it
    size: int | None  # bytes


class Edit(NamedTuple):
    """A superseded version that the export itself carries."""

    text: str
    at: datetime | None


class Message(NamedTuple):
    """One message. All times are aware and in UTC."""

    conversation: str  # Conversation.id
    key: str  # the source's own id, else a hash of time, author, text and ordinal
    author: Author | None  # None: the system speaks
    sent_at: datetime
    precision: Precision
    zone: Zone  # whether the offset was stated, derived from the file, or assumed
    kind: MessageKind
    text: str  # plain: markup resolved, mentions by name
    reply_to: str | None = None  # key of the message answered, same conversation
    thread: str | None = None  # key of the thread's root message
    edited_at: datetime | None = None
    edits: tuple[Edit, ...] = ()  # oldest first
    reactions: tuple[Reaction, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    extra: Mapping[str, Any] | None = None  # keys nobody understood, kept as they came
