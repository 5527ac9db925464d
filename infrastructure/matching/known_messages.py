"""Implements the port KnownMessages on the messages and conversations read models."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

from application.ports.jobs import Stopped
from application.ports.known_messages import (
    KnownAlias,
    KnownConversation,
    KnownMessage,
    MessagesLaggingError,
    Occurrence,
    Span,
)
from domain.transcript import Transcript
from domain.upload import Upload
from infrastructure.projections.positions import Positions

TIMEOUT_SECONDS = 60.0
LOOK_SECONDS = 0.2  # between two looks at whether somebody else has finished
READ_MODELS = ("messages", "conversations")
LOCK_CLASS = 0x63686174  # of advisory locks: "chat"
HASH = "(^|:)[0-9a-f]{32}$"  # see application.storable
LAST = """
SELECT coalesce(max(notification_id), 0) FROM log.archive_events
WHERE workspace_id = %s AND topic = ANY(%s)
"""
TOPICS = [Transcript.Recorded.TOPIC, Upload.Read.TOPIC, Upload.Withdrawn.TOPIC]
MICROSECONDS = "(extract(epoch FROM m.sent_at) * 1000000)::int8"
TIME = "timestamptz 'epoch' + {} * interval '1 microsecond'"
SAMPLE = """
SELECT message_key FROM read.message AS m WHERE m.conversation_id = c.conversation_id {} LIMIT 100
"""
# Three of eight hashes begin with a letter, hardly any id of a source does: few are enough to tell.
CONVERSATIONS = f"""
SELECT c.conversation_id, c.title, c.format, usual.with_id * 2 > usual.total,
       usual.with_id BETWEEN 1 AND usual.total - 1
       OR (usual.with_id > 0 AND odd.with_id < odd.total)
       OR EXISTS (
           SELECT FROM read.upload_span AS s
           WHERE s.conversation_id = c.conversation_id AND s.is_foreign
       )
FROM read.conversation AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE message_key !~ '{HASH}') AS with_id
    FROM ({SAMPLE.format("")}) AS sample
) AS usual
CROSS JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE message_key !~ '{HASH}') AS with_id
    FROM ({SAMPLE.format("AND message_key >= 'a' AND message_key < 'g'")}) AS sample
) AS odd
WHERE c.workspace_id = %s AND c.conversation_id = ANY(%b::uuid[])
"""
ALIASES = """
SELECT DISTINCT ON (own_id) own_id, match FROM read.conversation_alias
WHERE workspace_id = %s AND own_id = ANY(%b::uuid[]) ORDER BY own_id, position DESC
"""
OCCURRENCES = f"""
SELECT m.text_key, m.conversation_id, m.author_id, {MICROSECONDS}, m.precision, m.message_key
FROM unnest(%b::uuid[]) AS wanted (text_key)
CROSS JOIN LATERAL (
    SELECT * FROM read.message AS found
    WHERE found.workspace_id = %s AND found.text_key = wanted.text_key LIMIT %s
) AS m
"""
KNOWN = f"""
m.conversation_id, m.message_key, m.author_id, {MICROSECONDS}, m.precision, m.kind, m.text
"""
# The order and the limit leave no other plan than the index on conversation and time, whatever the
# statistics say of an archive that has just grown.
MOST = 100_000
WITHIN = f"""
SELECT {KNOWN}
FROM unnest(%b::uuid[], %b::int8[], %b::int8[]) AS span (conversation_id, first, last)
CROSS JOIN LATERAL (
    SELECT * FROM read.message AS near
    WHERE near.conversation_id = span.conversation_id
        AND near.sent_at >= {TIME.format("span.first")}
        AND near.sent_at <= {TIME.format("span.last")}
    ORDER BY near.sent_at, near.message_id LIMIT {MOST}
) AS m
WHERE m.workspace_id = %s AND NOT m.upload_ids @> ARRAY[%b::uuid]
    AND NOT starts_with(m.message_key, 'erased-')
ORDER BY m.conversation_id, m.sent_at, m.message_id
"""
COUNT = f"""
SELECT count(*) FROM read.message AS m
WHERE m.workspace_id = %s AND m.conversation_id = %s
    AND m.sent_at >= {TIME.format("%b::int8")} AND m.sent_at <= {TIME.format("%b::int8")}
"""
UPLOADS = """
SELECT s.upload_id FROM read.upload_span AS s
WHERE s.conversation_id = ANY(%b::uuid[]) AND EXISTS (
    SELECT FROM read.conversation AS c
    WHERE c.workspace_id = %s AND c.conversation_id = s.conversation_id
)
GROUP BY s.upload_id ORDER BY min(s.read_position) NULLS LAST, s.upload_id
"""


def last_told(pool: ConnectionPool[Any], workspace_id: UUID) -> int:
    """The position of the last event that changed the workspace's messages; 0 if none has."""
    with pool.connection() as connection:
        row = connection.execute(LAST, (workspace_id, TOPICS)).fetchone()
    return int(row[0]) if row else 0


class PostgresKnownMessages:
    def __init__(self, pool: ConnectionPool[Any], positions: Positions) -> None:
        self._pool = pool
        self._positions = positions

    @contextmanager
    def alone(self, workspace_id: UUID, *, should_stop: Callable[[], bool]) -> Iterator[None]:
        number = int.from_bytes(workspace_id.bytes[-4:], signed=True)
        with self._pool.connection() as connection:
            while not self._try(connection, number):
                if should_stop():
                    raise Stopped
                time.sleep(LOOK_SECONDS)
            try:
                yield
            finally:
                if not connection.closed:
                    connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, number))

    def catch_up(self, workspace_id: UUID, *, should_stop: Callable[[], bool]) -> bool:
        position = last_told(self._pool, workspace_id)
        if not position:
            return False
        has_reached = self._positions.wait(
            READ_MODELS, position, timeout_seconds=TIMEOUT_SECONDS, should_stop=should_stop
        )
        if not has_reached and should_stop():
            raise Stopped
        if not has_reached:
            raise MessagesLaggingError(
                f"what the archive has cannot be compared: its read models have not reached "
                f"position {position} within {TIMEOUT_SECONDS:.0f} s: see "
                "`chatledger projection status`"
            )
        return True

    def conversations(
        self, workspace_id: UUID, ids: Collection[UUID]
    ) -> Mapping[UUID, KnownConversation]:
        rows = self._select(CONVERSATIONS, (workspace_id, list(ids))) if ids else []
        return {
            id: KnownConversation(
                id=id, title=title, format=format, has_ids=has_ids, is_mixed=is_mixed
            )
            for id, title, format, has_ids, is_mixed in rows
        }

    def aliases(self, workspace_id: UUID, ids: Collection[UUID]) -> Mapping[UUID, KnownAlias]:
        rows = self._select(ALIASES, (workspace_id, list(ids))) if ids else []
        return {own: KnownAlias(conversation_id=own, match=match) for own, match in rows}

    def occurrences(
        self, workspace_id: UUID, text_keys: Collection[UUID], *, at_most: int
    ) -> Sequence[Occurrence]:
        rows = self._select(OCCURRENCES, (list(text_keys), workspace_id, at_most))
        return [Occurrence(*row) for row in rows]

    def within(
        self, workspace_id: UUID, spans: Iterable[Span], *, without: UUID
    ) -> Sequence[KnownMessage]:
        columns = [list(column) for column in zip(*spans, strict=True)]
        rows = self._select(WITHIN, (*columns, workspace_id, without))
        return [KnownMessage(*row) for row in rows]

    def uploads(self, workspace_id: UUID, conversations: Collection[UUID]) -> Sequence[UUID]:
        rows = self._select(UPLOADS, (list(conversations), workspace_id))
        return [row[0] for row in rows]

    def count(self, workspace_id: UUID, span: Span) -> int:
        [(count,)] = self._select(COUNT, (workspace_id, *span))
        return int(count)

    def _select(self, statement: str, values: Sequence[Any]) -> list[Any]:
        with self._pool.connection() as connection:
            found: list[Any] = connection.execute(
                statement.encode(), values, binary=True
            ).fetchall()
            return found

    def _try(self, connection: Any, number: int) -> bool:
        found = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, number))
        return bool(found.fetchone()[0])
