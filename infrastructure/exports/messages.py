"""The messages of one conversation as they stood at a position of the log, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from domain.transcript import IDS_PER_POSITION
from domain.upload import Upload

MODELS = ("messages", "authors", "conversations")  # what the pages are made of
MAX_BYTES = 4 * 1024 * 1024  # of texts in one page

TITLE = """
SELECT title FROM read.conversation WHERE workspace_id = %s AND conversation_id = %s
"""
# In steps, so that neither a long conversation nor a page of long texts is ever read in full: the
# order is that of the index, and the sizes come from the TOAST pointers.
PAGE = """
SELECT m.message_id, m.message_key, m.sent_at, m.precision, m.zone, m.kind, m.author_id,
       CASE WHEN m.author_id IS NULL THEN NULL ELSE coalesce(a.name, '[erased]') END AS author,
       m.text, m.reply_to, m.thread, m.edited_at, m.reactions, m.attachments,
       greatest(m.position, coalesce(a.position, 0)) AS position
FROM (
    SELECT message_id, row_number() OVER preceding AS number,
           sum(octet_length(text)) OVER preceding AS bytes
    FROM (
        SELECT message_id, sent_at, text FROM read.message
        WHERE conversation_id = %(conversation)s AND message_id < %(below)s
          AND (sent_at, message_id) > (%(sent_at)s::timestamptz, %(message)s)
        ORDER BY sent_at, message_id LIMIT %(limit)s
    ) AS following
    WINDOW preceding AS (ORDER BY sent_at, message_id ROWS UNBOUNDED PRECEDING)
) AS page
JOIN read.message AS m ON m.workspace_id = %(workspace)s AND m.message_id = page.message_id
LEFT JOIN read.author AS a ON a.workspace_id = m.workspace_id AND a.author_id = m.author_id
WHERE page.bytes <= %(bytes)s OR page.number = 1
ORDER BY m.sent_at, m.message_id
"""
CHANGED = """
SELECT EXISTS (
    SELECT FROM read.message AS m
    WHERE m.workspace_id = %(workspace)s AND m.conversation_id = %(conversation)s
      AND m.message_id < %(below)s AND m.position > %(up_to)s
) OR EXISTS (
    SELECT FROM read.author AS a
    WHERE a.workspace_id = %(workspace)s AND a.position > %(up_to)s AND EXISTS (
        SELECT FROM read.message AS m
        WHERE m.workspace_id = %(workspace)s AND m.conversation_id = %(conversation)s
          AND m.author_id = a.author_id AND m.message_id < %(below)s
    )
)
"""


# What readers no longer see may have been part of it. Asked after a page was read: what that page
# misses for this reason is in the log by then.
WITHDRAWN = """
SELECT EXISTS (
    SELECT FROM log.archive_events
    WHERE workspace_id = %s AND notification_id > %s AND topic = %s
)
"""


class ChangedSinceError(Exception):
    """What the conversation was at that position cannot be told any more."""

    is_quotable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    message_id: int
    message_key: str  # the source's own id, or a hash
    sent_at: datetime
    precision: str
    zone: str
    kind: str
    author_id: UUID | None  # None: the system speaks
    author: str | None
    text: str
    reply_to: str | None
    thread: str | None
    edited_at: datetime | None
    reactions: list[Any] | None  # [[value, [author ids], total]]
    attachments: list[Any] | None  # [[name, media type, bytes]]
    position: int  # of the event that last changed any of this


BEGINNING = (datetime.min.replace(tzinfo=UTC), -1)


def title(connection: Connection[Any], workspace_id: UUID, conversation_id: UUID) -> str | None:
    """None if the workspace has no such conversation."""
    row = connection.execute(TITLE, (workspace_id, conversation_id)).fetchone()
    return None if row is None else str(row[0])


def require_unchanged(
    connection: Connection[Any], workspace_id: UUID, conversation_id: UUID, up_to: int
) -> None:
    """
    Raises:
        ChangedSinceError: if what it was cannot be told any more.
    """
    values = {"workspace": workspace_id, "conversation": conversation_id, "up_to": up_to}
    row = connection.execute(CHANGED, values | {"below": below(up_to)}).fetchone()
    if row is not None and row[0]:
        raise ChangedSinceError(f"changed after position {up_to}")
    require_nothing_withdrawn(connection, workspace_id, up_to)


def require_nothing_withdrawn(connection: Connection[Any], workspace_id: UUID, up_to: int) -> None:
    """
    Raises:
        ChangedSinceError
    """
    values = (workspace_id, up_to, Upload.Withdrawn.TOPIC)
    row = connection.execute(WITHDRAWN, values).fetchone()
    if row is not None and row[0]:
        raise ChangedSinceError(f"an upload was withdrawn after position {up_to}")


def page(
    connection: Connection[Any],
    workspace_id: UUID,
    conversation_id: UUID,
    *,
    after: tuple[datetime, int],
    up_to: int,
    limit: int,
) -> Sequence[MessageRow]:
    """
    In the order in which they were sent; up to `limit` messages and `MAX_BYTES` of text, but one
    at least if there is one.

    Raises:
        ChangedSinceError: if one of them has changed after `up_to`.
    """
    values = {
        "workspace": workspace_id,
        "conversation": conversation_id,
        "sent_at": "-infinity" if after == BEGINNING else after[0],
        "message": after[1],
        "below": below(up_to),
        "limit": limit,
        "bytes": MAX_BYTES,
    }
    with connection.transaction(), connection.cursor(row_factory=class_row(MessageRow)) as cursor:
        # Of messages that came just now the planner has no statistics, and would sort all of them.
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        rows = cursor.execute(PAGE, values).fetchall()
    if any(row.position > up_to for row in rows):
        raise ChangedSinceError(f"changed after position {up_to}")
    require_nothing_withdrawn(connection, workspace_id, up_to)
    return rows


def below(up_to: int) -> int:
    """The messages that came with events up to that position have lower ids."""
    return (up_to + 1) * IDS_PER_POSITION
