"""Messages: those of a conversation, of a person, around another, and what they said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection

from projections.paging import Listing, Slice, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    workspace_id: UUID
    message_id: int
    conversation_id: UUID
    author_id: UUID | None  # None: the system speaks
    message_key: str
    sent_at: datetime
    precision: str  # microsecond, millisecond, second, minute, day
    zone: str  # stated, derived, assumed
    kind: str  # message, system, action, deleted
    text: str
    language: str | None  # ISO 639-1; None: the text does not tell
    reply_to: str | None  # key of the message answered, in the same conversation
    thread: str | None  # key of the thread's root
    edited_at: datetime | None
    reactions: list[tuple[str, list[str], int]] | None  # value, authors' ids, total
    attachments: list[tuple[str, str | None, int | None]] | None  # name, media type, bytes
    extra: dict[str, Any] | None
    version: int  # 1, and one more for each text that it had before
    upload_ids: list[UUID]  # where it was seen, first first
    vanished_in: UUID | None  # a later upload that covers its time does not have it
    position: int  # of the event that last changed the row


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    version: int
    text: str
    superseded_at: datetime | None  # by the source's own account
    position: int  # of the event that says so


TIME = ("r.sent_at", "r.message_id")
IN_CONVERSATION = Listing(
    row=MessageRow,
    source="read.message AS r",
    parent=("r.workspace_id", "r.conversation_id"),
    types=("uuid", "uuid"),
    order=TIME,
)
BY_AUTHOR = Listing(
    row=MessageRow,
    source="read.message AS r",
    parent=("r.workspace_id", "r.author_id"),
    types=("uuid", "uuid"),
    order=TIME,
)
IN_THREAD = Listing(
    row=MessageRow,
    source="read.message AS r",
    parent=("r.workspace_id", "r.conversation_id", "r.thread"),
    types=("uuid", "uuid", "text"),
    order=TIME,
)
NEAR = Listing(
    row=MessageRow,
    source="read.message AS r",
    parent=("r.workspace_id", "r.conversation_id"),
    types=("uuid", "uuid", "timestamptz", "int8"),
    order=TIME,
)
BY_ID = Listing(
    row=MessageRow,
    source="read.message AS r",
    parent=("r.workspace_id", "r.message_id"),
    types=("uuid", "int8"),
    order=("r.message_id",),
)
BY_KEY = Listing(
    row=MessageRow,
    source="read.message AS r",
    parent=("r.workspace_id", "r.conversation_id", "r.message_key"),
    types=("uuid", "uuid", "text"),
    order=("r.message_id",),
)
VERSIONS = Listing(
    row=VersionRow,
    source="read.message_version AS r",
    parent=("r.workspace_id", "r.message_id"),
    types=("uuid", "int8"),
    order=("r.version",),
)

Pair = tuple[UUID, UUID]
Numbered = tuple[UUID, int]
Moment = tuple[UUID, UUID, datetime, int]  # workspace, conversation, and a message's place in it


def within(since: datetime | None, until: datetime | None) -> tuple[str, list[datetime]]:
    """From one moment, included, to another, excluded."""
    where, values = "", []
    if since is not None:
        where, values = " AND r.sent_at >= %s", [since]
    if until is not None:
        where, values = f"{where} AND r.sent_at < %s", [*values, until]
    return where, values


def messages_in_conversation(
    connection: Connection[Any],
    keys: Sequence[Pair],
    *,
    window: Window,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[Pair, Slice[MessageRow]]:
    """
    Oldest first, by `sent_at` and `message_id`, which keeps the file's order within a minute.

    Args:
        keys: workspace and conversation.
    """
    return IN_CONVERSATION.pages(connection, keys, window, *within(since, until))


def messages_by_author(
    connection: Connection[Any],
    keys: Sequence[Pair],
    *,
    window: Window,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[Pair, Slice[MessageRow]]:
    """
    Oldest first, by `sent_at` and `message_id`.

    Args:
        keys: workspace and author.
    """
    return BY_AUTHOR.pages(connection, keys, window, *within(since, until))


def messages_near(
    connection: Connection[Any],
    keys: Sequence[Moment],
    *,
    size: int,
    side: Literal["before", "after"],
) -> dict[Moment, Slice[MessageRow]]:
    """The nearest on one side of each of these moments in its conversation, oldest first."""
    window = Window(limit=size, is_backward=side == "before")
    comparison = "<" if side == "before" else ">"
    where = f" AND (r.sent_at, r.message_id) {comparison} (parents.k2, parents.k3)"
    return NEAR.pages(connection, keys, window, where)


def replies_in_thread(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID, str]], *, window: Window
) -> dict[tuple[UUID, UUID, str], Slice[MessageRow]]:
    """
    Oldest first, by `sent_at` and `message_id`, without the message that the thread hangs on.

    Args:
        keys: workspace, conversation, and the key of that message.
    """
    return IN_THREAD.pages(connection, keys, window, " AND r.message_key <> r.thread")


def messages_by_id(
    connection: Connection[Any], keys: Sequence[Numbered]
) -> dict[Numbered, MessageRow]:
    """
    Args:
        keys: workspace and message.
    """
    return BY_ID.first(connection, keys)


def messages_by_key(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID, str]]
) -> dict[tuple[UUID, UUID, str], MessageRow]:
    """
    Args:
        keys: workspace, conversation, and the source's own key.
    """
    return BY_KEY.first(connection, keys)


def messages_among(
    connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[int]
) -> dict[int, MessageRow]:
    return {row.message_id: row for row in BY_ID.among(connection, workspaces, ids)}


def versions(
    connection: Connection[Any], keys: Sequence[Numbered], *, window: Window
) -> dict[Numbered, Slice[VersionRow]]:
    """
    Texts that each of these had before, in the order in which they became known.

    Args:
        keys: workspace and message.
    """
    return VERSIONS.pages(connection, keys, window)
