"""The selected messages as their readers once gave them: with the source's ids, and every edit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from domain.message import Attachment, Author, Conversation, Edit, Message, Reaction
from infrastructure.exports.messages import MAX_BYTES, ChangedSinceError, below
from infrastructure.exports.messages import require_nothing_withdrawn as require_kept
from infrastructure.exports.selection import Selection

CONVERSATIONS_READ = 100  # at once
MESSAGES_READ = 500

# Of the messages, not of the names: an erased conversation has no title, but is not left out.
CONVERSATIONS = """
SELECT t.conversation_id, coalesce(c.source_id, t.conversation_id::text) AS source_id,
       coalesce(c.title, '[erased]') AS title, coalesce(c.kind, 'unknown') AS kind,
       coalesce(c.format, 'unknown') AS format, coalesce(c.position, 0) AS position
FROM read.conversation_total AS t
LEFT JOIN read.conversation AS c USING (workspace_id, conversation_id)
WHERE t.workspace_id = %(workspace)s AND t.conversation_id > %(after)s
  AND (%(chosen)s::uuid[] IS NULL OR t.conversation_id = ANY(%(chosen)s))
ORDER BY t.conversation_id LIMIT %(limit)s
"""
# As in messages.py, in steps: neither a long conversation nor long texts are ever read in full.
FOLLOWING = """
SELECT message_id, sent_at, octet_length(text) + coalesce(pg_column_size(extra), 0)
       + coalesce(pg_column_size(reactions), 0) + coalesce(pg_column_size(attachments), 0)
       + CASE WHEN version = 1 THEN 0 ELSE (
             SELECT coalesce(sum(octet_length(v.text)), 0) FROM read.message_version AS v
             WHERE v.workspace_id = m.workspace_id AND v.message_id = m.message_id
         ) END AS bytes
FROM read.message AS m
WHERE conversation_id = %(conversation)s AND message_id < %(below)s
  AND (sent_at, message_id) > (%(sent_at)s::timestamptz, %(message)s)
  AND sent_at < %(until)s::timestamptz {among}
ORDER BY sent_at, message_id LIMIT %(limit)s
"""
AMONG = "AND workspace_id = %(workspace)s AND message_id = ANY(%(ids)s)"
PAGE = """
SELECT m.message_id, m.message_key, m.sent_at, m.precision, m.zone, m.kind, m.author_id,
       a.source_id, coalesce(a.name, '[erased]') AS author, m.text, m.reply_to, m.thread,
       m.edited_at, m.reactions, m.attachments, m.extra, m.version,
       greatest(m.position, coalesce(a.position, 0)) AS position
FROM (
    SELECT message_id, row_number() OVER preceding AS number, sum(bytes) OVER preceding AS bytes
    FROM ({following}) AS following
    WINDOW preceding AS (ORDER BY sent_at, message_id ROWS UNBOUNDED PRECEDING)
) AS page
JOIN read.message AS m ON m.workspace_id = %(workspace)s AND m.message_id = page.message_id
LEFT JOIN read.author AS a ON a.workspace_id = m.workspace_id AND a.author_id = m.author_id
WHERE page.bytes <= %(bytes)s OR page.number = 1
ORDER BY m.sent_at, m.message_id
"""
VERSIONS = """
SELECT message_id, text, superseded_at FROM read.message_version
WHERE workspace_id = %s AND message_id = ANY(%s) AND position <= %s
ORDER BY message_id, version
"""
# Whoever became known later was unknown then.
SOURCES = """
SELECT author_id::text, source_id FROM read.author
WHERE workspace_id = %s AND author_id = ANY(%s::uuid[]) AND position <= %s
"""

Spot = tuple[datetime, int]  # of a message in its conversation: when it was sent, and its id
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A conversation with what an export asks of it besides its messages."""

    conversation_id: UUID
    conversation: Conversation
    format: str  # that it was read from
    position: int  # of the event that last changed any of this


class Selected(NamedTuple):
    spot: Spot
    message: Message


def rooms(connection: Connection[Any], selection: Selection, after: UUID) -> Sequence[Room]:
    """The next ones in the order of their ids; without any there are no more."""
    chosen = selection.conversation_ids
    values = {
        "workspace": selection.workspace_id,
        "after": after,
        "chosen": None if chosen is None else list(chosen),
        "limit": CONVERSATIONS_READ,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        return [
            Room(
                conversation_id=row["conversation_id"],
                conversation=Conversation(row["source_id"], row["title"], row["kind"]),
                format=row["format"],
                position=row["position"],
            )
            for row in cursor.execute(CONVERSATIONS, values)
        ]


def page(
    connection: Connection[Any], selection: Selection, room: Room, after: Spot | None
) -> Sequence[Selected]:
    """
    The selected messages of a conversation in the order in which they were sent, from the first
    or after a spot: up to `MESSAGES_READ` and `MAX_BYTES`, but one at least if there is one.

    Raises:
        ChangedSinceError: if one of them, or the conversation, has changed since.
    """
    sent_at, message = after or (selection.since or BEFORE_ALL, -1)
    values: dict[str, Any] = {
        "workspace": selection.workspace_id,
        "conversation": room.conversation_id,
        "sent_at": "-infinity" if sent_at == BEFORE_ALL else sent_at,
        "message": message,
        "until": "infinity" if selection.until is None else selection.until,
        "below": below(selection.up_to),
        "limit": MESSAGES_READ,
        "bytes": MAX_BYTES,
    }
    among = ""
    if selection.message_ids is not None:
        values["ids"], among = list(selection.message_ids), AMONG
    statement = PAGE.format(following=FOLLOWING.format(among=among))
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        if not among:
            # Of messages that came just now the planner has no statistics, and would sort all.
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        rows = cursor.execute(statement.encode(), values).fetchall()
        edited = [row["message_id"] for row in rows if row["version"] > 1]
        edits = edits_of(connection, selection, edited)
        sources = sources_of(connection, selection, reactors(rows))
    if any(row["position"] > selection.up_to for row in rows) or (
        rows and room.position > selection.up_to
    ):
        raise ChangedSinceError(f"changed after position {selection.up_to}")
    require_kept(connection, selection.workspace_id, selection.up_to)
    return [
        Selected(
            (row["sent_at"], row["message_id"]),
            message_of(row, room, edits.get(row["message_id"], ()), sources),
        )
        for row in rows
    ]


def edits_of(
    connection: Connection[Any], selection: Selection, message_ids: Sequence[int]
) -> Mapping[int, tuple[Edit, ...]]:
    """The texts that messages had before, oldest first, as far as they were known."""
    found: defaultdict[int, tuple[Edit, ...]] = defaultdict(tuple)
    if message_ids:
        values = (selection.workspace_id, list(message_ids), selection.up_to)
        for message_id, text, at in connection.execute(VERSIONS, values):
            found[message_id] += (Edit(text, utc(at)),)
    return found


def reactors(rows: Collection[Mapping[str, Any]]) -> set[str]:
    return {id for row in rows for _, authors, _ in row["reactions"] or () for id in authors}


def sources_of(
    connection: Connection[Any], selection: Selection, author_ids: Collection[str]
) -> Mapping[str, str]:
    """
    The source's own ids of people. Of those who never wrote a message the archive knows its own
    id only: they have no entry.
    """
    if not author_ids:
        return {}
    values = (selection.workspace_id, sorted(author_ids), selection.up_to)
    return dict(connection.execute(SOURCES, values).fetchall())


def message_of(
    row: Mapping[str, Any], room: Room, edits: tuple[Edit, ...], sources: Mapping[str, str]
) -> Message:
    author = None
    if row["author_id"] is not None:
        author = Author(row["source_id"] or str(row["author_id"]), row["author"])
    sent_at = utc(row["sent_at"])
    if sent_at is None:
        raise ValueError("every message was sent at some time")
    return Message(
        conversation=room.conversation.id,
        key=row["message_key"],
        author=author,
        sent_at=sent_at,
        precision=row["precision"],
        zone=row["zone"],
        kind=row["kind"],
        text=row["text"],
        reply_to=row["reply_to"],
        thread=row["thread"],
        edited_at=utc(row["edited_at"]),
        edits=edits,
        reactions=tuple(
            Reaction(value, tuple(sources.get(id, id) for id in authors), total)
            for value, authors, total in row["reactions"] or ()
        ),
        attachments=tuple(Attachment(*one) for one in row["attachments"] or ()),
        extra=row["extra"],
    )


def utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
