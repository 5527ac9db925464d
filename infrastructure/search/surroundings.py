"""What was said around some messages, as far as it tells who talks to whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from infrastructure.search.context import Said
from infrastructure.search.restriction import Restriction

AROUND = 8  # messages before and after
NAMED = 48  # characters from a text's beginning, where somebody may be addressed
SURROUNDINGS = f"""
SELECT seed.message_id AS seed, m.message_id, m.author_id, a.name, m.sent_at,
       left(m.text, {NAMED}), m.message_key, m.reply_to, m.thread, m.text_key, t.vector_id,
       true {{restriction}} AS may_be_found
FROM read.message AS seed
CROSS JOIN LATERAL (
    (
        SELECT * FROM read.message AS near
        WHERE near.workspace_id = seed.workspace_id AND near.conversation_id = seed.conversation_id
          AND near.message_id < %(until)s
          AND (near.sent_at, near.message_id) <= (seed.sent_at, seed.message_id)
        ORDER BY near.sent_at DESC, near.message_id DESC LIMIT {AROUND + 1}
    ) UNION ALL (
        SELECT * FROM read.message AS near
        WHERE near.workspace_id = seed.workspace_id AND near.conversation_id = seed.conversation_id
          AND near.message_id < %(until)s
          AND (near.sent_at, near.message_id) > (seed.sent_at, seed.message_id)
        ORDER BY near.sent_at, near.message_id LIMIT {AROUND}
    )
) AS m
LEFT JOIN read.author AS a ON a.workspace_id = m.workspace_id AND a.author_id = m.author_id
LEFT JOIN read.text_vector AS t
    ON t.workspace_id = m.workspace_id AND t.model = %(model)s AND t.text_key = m.text_key
WHERE seed.workspace_id = %(workspace)s AND seed.message_id = ANY(%(seeds)s)
ORDER BY seed.message_id, m.sent_at, m.message_id
"""


class Neighbour(NamedTuple):
    """A seed or a message around one."""

    message_id: int
    author_id: UUID | None
    author: str | None
    sent_at: datetime
    text: str  # its beginning
    message_key: str
    reply_to: str | None
    thread: str | None
    text_key: UUID | None
    vector_id: int | None
    may_be_found: bool


class Surroundings(NamedTuple):
    neighbours: dict[int, Neighbour]  # by message
    windows: list[list[int]]  # for each seed, in order, without gaps


def surroundings(
    connection: Connection[Any],
    *,
    workspace_id: UUID,
    model: str,
    seeds: Sequence[int],
    restriction: Restriction,
    until: int,
) -> Surroundings:
    """
    Args:
        until: messages from this id on are passed over.
    """
    values = {
        "workspace": workspace_id,
        "model": model,
        "seeds": list(seeds),
        "until": until,
        **restriction.values,
    }
    statement = SURROUNDINGS.format(restriction=restriction.sql)
    neighbours: dict[int, Neighbour] = {}
    windows: dict[int, list[int]] = {}
    for seed, *columns in connection.execute(statement, values, binary=True):
        neighbour = Neighbour(*columns)
        neighbours[neighbour.message_id] = neighbour
        windows.setdefault(seed, []).append(neighbour.message_id)
    return Surroundings(neighbours, list(windows.values()))


def said(stretch: Sequence[int], neighbours: dict[int, Neighbour]) -> list[Said]:
    """As `link` takes it. An answered message is known by its key, as the source has it."""
    by_key = {neighbours[id_].message_key: id_ for id_ in stretch}
    return [
        Said(
            key=id_,
            author=one.author_id,
            name=one.author or "",
            at=one.sent_at.timestamp(),
            text=one.text,
            answers=None if one.reply_to is None else by_key.get(one.reply_to),
            thread=one.thread,
        )
        for id_, one in ((id_, neighbours[id_]) for id_ in stretch)
    ]
