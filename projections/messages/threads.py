"""
Threads: what was said in answer to one message, and in answer to that.

Some sources name the message that a thread hangs on; others say of each message only which one it
answers. A message that others name as their thread's begins one, though it may answer another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.messages.queries import TIME, MessageRow, Numbered, messages_by_key
from projections.paging import Listing, Slice, Window

MOST_STEPS = 1_000  # from a message up to the one that began it all
MOST_MESSAGES = 5_000  # of one thread, from its root on
MOST_COUNTED = 1_000


def begins(key: str) -> str:
    """Whether other messages of `own`'s conversation name it as their thread's."""
    return f"""EXISTS (
        SELECT FROM read.message AS t
        WHERE t.workspace_id = own.workspace_id AND t.conversation_id = own.conversation_id
          AND t.thread = {key} AND t.message_key <> {key}
    )"""


# Of a message `own`: the key of its thread's root. Messages that answer each other in a circle have
# the least key among them.
ROOT = f"""
WITH RECURSIVE up AS (
    SELECT own.message_key, own.reply_to, own.thread, {begins("own.message_key")} AS begins,
           ARRAY[own.message_key] AS path
    UNION ALL
    SELECT m.message_key, m.reply_to, m.thread, {begins("m.message_key")},
           up.path || m.message_key
    FROM up CROSS JOIN LATERAL (
        SELECT * FROM read.message AS m
        WHERE m.workspace_id = own.workspace_id AND m.conversation_id = own.conversation_id
          AND m.message_key = up.reply_to LIMIT 1
    ) AS m
    WHERE up.thread IS NULL AND NOT up.begins AND m.message_key <> ALL (up.path)
      AND cardinality(up.path) < {MOST_STEPS}
)
SELECT CASE
    WHEN thread IS NOT NULL THEN thread
    WHEN NOT begins AND reply_to = ANY (path) THEN (
        SELECT min(key) FROM unnest(path[array_position(path, reply_to):]) AS key
    )
    ELSE message_key
END
FROM up ORDER BY cardinality(path) DESC LIMIT 1
"""


def members(most: int) -> str:
    """
    The ids of a thread, that of the parent's message among them in any case. Repetitions end what
    goes round in circles; the limits are what keeps PostgreSQL from reading whole conversations.
    """
    return f"""
    SELECT found.message_id
    FROM (
        SELECT own.*, ({ROOT}) AS root FROM read.message AS own
        WHERE own.workspace_id = parents.k0 AND own.message_id = parents.k1
    ) AS own
    CROSS JOIN LATERAL (
        (
            WITH RECURSIVE down AS (
                (
                    SELECT m.message_id, m.message_key FROM read.message AS m
                    WHERE m.workspace_id = own.workspace_id
                      AND m.conversation_id = own.conversation_id AND m.message_key = own.root
                    UNION
                    SELECT * FROM (
                        SELECT m.message_id, m.message_key FROM read.message AS m
                        WHERE m.workspace_id = own.workspace_id
                          AND m.conversation_id = own.conversation_id AND m.thread = own.root
                        ORDER BY m.sent_at, m.message_id LIMIT {most}
                    ) AS named
                )
                UNION
                SELECT m.message_id, m.message_key
                FROM down CROSS JOIN LATERAL (
                    SELECT m.message_id, m.message_key FROM read.message AS m
                    WHERE m.workspace_id = own.workspace_id
                      AND m.conversation_id = own.conversation_id
                      AND m.reply_to = down.message_key AND m.thread IS NULL
                      AND NOT {begins("m.message_key")}
                    LIMIT {most}
                ) AS m
            )
            SELECT message_id FROM down LIMIT {most}
        ) UNION SELECT own.message_id
    ) AS found
    """


IN_THREAD = Listing(
    row=MessageRow,
    source=f"""
    unnest(ARRAY({members(MOST_MESSAGES)})) AS member (id)
    JOIN read.message AS r ON r.message_id = member.id
    """,
    parent=("r.workspace_id",),
    types=("uuid", "int8"),
    order=TIME,
)
SUMMARIES = f"""
SELECT parents.number, own.conversation_id, ({ROOT}) AS root,
       cardinality(ARRAY({members(MOST_COUNTED)})) AS messages
FROM unnest(%s::uuid[], %s::int8[]) WITH ORDINALITY AS parents (k0, k1, number)
JOIN read.message AS own ON own.workspace_id = parents.k0 AND own.message_id = parents.k1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRow:
    messages: int  # all of them, or at least so many
    is_whole: bool
    root: MessageRow | None  # None: no upload has it


def messages_in_threads(
    connection: Connection[Any], keys: Sequence[Numbered], *, window: Window
) -> dict[Numbered, Slice[MessageRow]]:
    """
    All of the thread that each of these belongs to, the root and itself among them, oldest first.

    Args:
        keys: workspace and message.
    """
    return IN_THREAD.pages(connection, keys, window)


def threads_of(connection: Connection[Any], keys: Sequence[Numbered]) -> dict[Numbered, ThreadRow]:
    """
    Of those that are not alone.

    Args:
        keys: workspace and message.
    """
    arrays = [list(column) for column in zip(*keys, strict=True)]
    rows = connection.execute(SUMMARIES.encode(), arrays, prepare=True).fetchall()
    found: dict[Numbered, tuple[tuple[UUID, UUID, str], int]] = {}
    for number, conversation_id, root, messages in rows:
        workspace_id, _ = key = keys[number - 1]
        if messages > 1:
            found[key] = (workspace_id, conversation_id, root), messages
    roots = messages_by_key(connection, list({place for place, _ in found.values()}))
    return {
        key: ThreadRow(
            messages=min(messages, MOST_COUNTED),
            is_whole=messages < MOST_COUNTED,
            root=roots.get(place),
        )
        for key, (place, messages) in found.items()
    }
