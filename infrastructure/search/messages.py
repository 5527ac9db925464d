"""The messages of an answer, with what stood around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor

from application.ports.search import Coverage, FoundMessage
from domain.transcript import IDS_PER_POSITION

MESSAGE = """
m.message_id AS id, m.conversation_id, coalesce(c.title, '[erased]') AS conversation,
m.author_id,
CASE WHEN m.author_id IS NULL THEN NULL ELSE coalesce(a.name, '[erased]') END AS author,
m.sent_at, m.kind, m.text, m.language
"""
JOINS = """
LEFT JOIN read.conversation AS c
    ON c.workspace_id = m.workspace_id AND c.conversation_id = m.conversation_id
LEFT JOIN read.author AS a ON a.workspace_id = m.workspace_id AND a.author_id = m.author_id
"""
BY_ID = f"""
SELECT {MESSAGE} FROM read.message AS m {JOINS}
WHERE m.workspace_id = %(workspace)s AND m.message_id = ANY(%(ids)s)
"""
# The id breaks ties: it keeps the file's order among messages of the same minute.
AROUND = """
SELECT hit.message_id AS hit, '{side}' AS side, {message}
FROM read.message AS hit
CROSS JOIN LATERAL (
    SELECT * FROM read.message AS near
    WHERE near.workspace_id = hit.workspace_id AND near.conversation_id = hit.conversation_id
      AND (near.sent_at, near.message_id) {comparison} (hit.sent_at, hit.message_id)
    ORDER BY near.sent_at {order}, near.message_id {order} LIMIT %(count)s
) AS m
{joins}
WHERE hit.workspace_id = %(workspace)s AND hit.message_id = ANY(%(ids)s)
"""
BEFORE = AROUND.format(side="before", message=MESSAGE, comparison="<", order="DESC", joins=JOINS)
AFTER = AROUND.format(side="after", message=MESSAGE, comparison=">", order="ASC", joins=JOINS)
SAME_TEXT = """
SELECT h.message_id, (
    SELECT count(*) - 1 FROM read.message AS m
    WHERE m.workspace_id = h.workspace_id AND m.text_key = h.text_key
) FROM read.message AS h
WHERE h.workspace_id = %(workspace)s AND h.message_id = ANY(%(ids)s) AND h.text_key IS NOT NULL
"""
TOTAL = "SELECT texts FROM read.message_total WHERE workspace_id = %s"
# Texts of transcripts without vectors yet, and those of which the vectors read model has not heard.
OUTSTANDING = """
SELECT (SELECT coalesce(sum(texts), 0) FROM read.awaiting_vectors
        WHERE workspace_id = %(workspace)s)
     + (SELECT count(text_key) FROM read.message
        WHERE workspace_id = %(workspace)s AND message_id >= %(first_unknown)s)
"""
# Only messages that may lack a vector are looked at: those that came with such a transcript, and
# those whose text has changed since they came, if it was not before that.
MISSING = f"""
SELECT count(*) FROM (
    SELECT m.message_id, m.text_key
    FROM read.awaiting_vectors AS a
    CROSS JOIN LATERAL (
        SELECT message_id, text_key FROM read.message
        WHERE workspace_id = %(workspace)s AND message_id >= a.position * {IDS_PER_POSITION}
          AND message_id < (a.position + 1) * {IDS_PER_POSITION}
        ORDER BY message_id LIMIT {IDS_PER_POSITION}
    ) AS m
    WHERE a.workspace_id = %(workspace)s
    UNION
    SELECT message_id, text_key FROM read.message
    WHERE workspace_id = %(workspace)s AND message_id >= %(first_unknown)s
    UNION
    SELECT message_id, text_key FROM read.message
    WHERE workspace_id = %(workspace)s AND position > message_id / {IDS_PER_POSITION}
      AND position >= least(
        %(first_unknown)s / {IDS_PER_POSITION},
        (SELECT min(position) FROM read.awaiting_vectors WHERE workspace_id = %(workspace)s)
    )
) AS m
WHERE text_key IS NOT NULL AND (
    SELECT t.vector_id FROM read.text_vector AS t
    WHERE t.workspace_id = %(workspace)s AND t.model = %(model)s AND t.text_key = m.text_key
) IS NULL
"""
# With more texts outstanding than this, no search waits for them to be counted, which takes some
# 7 microseconds each.
EXACT_UP_TO = 2_000
Around = dict[int, tuple[tuple[FoundMessage, ...], tuple[FoundMessage, ...]]]

# Each of these asks at once and gives what takes the answer: in a pipeline all questions are on
# their way before the first answer is waited for.


def by_id(
    connection: Connection[Any], *, workspace_id: UUID, ids: Sequence[int]
) -> Callable[[], dict[int, FoundMessage]]:
    cursor = connection.execute(BY_ID, {"workspace": workspace_id, "ids": list(ids)})
    return lambda: {row[0]: found(row) for row in cursor}


def around(
    connection: Connection[Any], *, workspace_id: UUID, ids: Sequence[int], count: int
) -> Callable[[], Around]:
    """Up to `count` messages before and after each of these, oldest first."""
    values = {"workspace": workspace_id, "ids": list(ids), "count": count}
    statements = (BEFORE, AFTER) if count else ()
    cursors = [connection.execute(statement, values) for statement in statements]

    def take() -> Around:
        sides: list[dict[int, list[FoundMessage]]] = [{id_: [] for id_ in ids} for _ in range(2)]
        for cursor, side in zip(cursors, sides, strict=False):
            for row in cursor:
                side[row[0]].append(found(row[2:]))
        before, after = sides
        return {id_: (in_order(before[id_]), in_order(after[id_])) for id_ in ids}

    return take


def same_text(
    connection: Connection[Any], *, workspace_id: UUID, ids: Sequence[int]
) -> Callable[[], dict[int, int]]:
    """How many further messages have exactly the text of each of these."""
    cursor = connection.execute(SAME_TEXT, {"workspace": workspace_id, "ids": list(ids)})
    return lambda: dict(cursor.fetchall())


def coverage(
    connection: Connection[Any], *, workspace_id: UUID, model: str
) -> Callable[[int], Coverage]:
    """
    Exact, but while very many texts wait: then those among them that have a vector already,
    because somebody said the same before, count as not indexed. What is given takes the position
    that the vectors read model has reached.
    """
    all_texts = connection.execute(TOTAL, (workspace_id,))

    def take(vectors_position: int) -> Coverage:
        # As a value: a planner that does not know it reads the whole table.
        first_unknown = (vectors_position + 1) * IDS_PER_POSITION
        values = {"workspace": workspace_id, "model": model, "first_unknown": first_unknown}
        total, missing = number(all_texts), number(connection.execute(OUTSTANDING, values))
        if 0 < missing <= EXACT_UP_TO:
            missing = number(connection.execute(MISSING, values))
        # The vectors read model may know of transcripts whose messages are still to come.
        return Coverage(indexed=max(0, total - missing), total=total)

    return take


def number(cursor: Cursor[Any]) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def found(row: Sequence[Any]) -> FoundMessage:
    return FoundMessage(
        id=row[0],
        conversation_id=row[1],
        conversation=row[2],
        author_id=row[3],
        author=row[4],
        sent_at=row[5],
        kind=row[6],
        text=row[7],
        language=row[8],
    )


def in_order(messages: list[FoundMessage]) -> tuple[FoundMessage, ...]:
    return tuple(sorted(messages, key=lambda message: (message.sent_at, message.id)))
