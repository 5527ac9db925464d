"""Reads the log without opening it: what happened, and nothing personal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.aggregate import ERASED
from domain.transcript import Transcript, TranscriptEmbedding
from infrastructure.log.mapper import ORIGIN, SEALED, SUBJECT, UnknownTopicError, class_of

MAX_BYTES = 8 * 1024 * 1024  # of event states read at once; a batch of messages has 100-200 KB
MAX_ROWS = 500  # read at once

# Of what grows with the number of messages the size is told, and not what is in it.
COUNTED: Mapping[str, Collection[str]] = {
    Transcript.Recorded.TOPIC: ("conversations", "authors", "slots"),
    TranscriptEmbedding.Recorded.TOPIC: ("counts",),
}

EVERYTHING = "*"  # in place of the names of sealed fields that nobody here knows
ENVELOPE = {"timestamp", "originator_topic"}  # the library's; the frame says it better
LAST = 2**63 - 1


class Direction(NamedTuple):
    order: str
    condition: str
    bound: str  # the value that moves on with what was read


NEXT = Direction("ASC", "notification_id > %(after)s AND notification_id <= %(up_to)s", "after")
PREVIOUS = Direction("DESC", "notification_id < %(before)s", "before")
AT = Direction(
    "ASC", "notification_id = ANY(%(positions)s) AND notification_id > %(after)s", "after"
)

# The sizes come from the TOAST pointers: a state beyond the limit is not even read from disk.
PAGE = """
SELECT notification_id, recorded_at, topic, workspace_id, actor_id, originator_id,
       originator_version, correlation_id, causation_position, command_id,
       CASE WHEN bytes <= %(max_bytes)s OR number = 1 THEN state END
FROM (
    SELECT *, row_number() OVER preceding AS number,
           sum(octet_length(state)) OVER preceding AS bytes
    FROM log.archive_events
    WHERE {where}
    WINDOW preceding AS (ORDER BY notification_id {order} ROWS UNBOUNDED PRECEDING)
    ORDER BY notification_id {order} LIMIT %(limit)s
) AS page
ORDER BY notification_id {order}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFrame:
    """An event as everybody may see it who may see the log of its workspace."""

    position: int
    recorded_at: datetime
    topic: str
    workspace_id: UUID | None  # None: a fact about the instance
    actor_id: UUID
    stream_id: UUID
    stream_version: int  # counted from 1
    correlation_id: UUID
    causation_position: int | None  # of the event that this one follows from
    command_id: UUID | None
    facts: Mapping[str, Any]  # what JSON can hold, without what is personal
    sealed: tuple[str, ...]  # names of the fields that are left out because they are personal


def frames(
    connection: Connection[Any],
    *,
    workspace_id: UUID | None,
    after: int,
    up_to: int | None = None,
    topics: Collection[str] | None = None,
    limit: int,
) -> list[EventFrame]:
    """
    The next events after a position, oldest first. Fewer than `limit`: there are no more.

    Args:
        workspace_id: None: of every workspace, and of the instance.
        up_to: the last position to look at; None: the log's end.
        topics: None: all.
    """
    values = {"after": after, "up_to": LAST if up_to is None else up_to}
    return read(connection, NEXT, one_or_all(workspace_id), topics, values, limit)


def frames_of(
    connection: Connection[Any],
    *,
    workspaces: Collection[UUID] | None,
    after: int,
    up_to: int,
    topics: Collection[str] | None,
    limit: int,
) -> list[EventFrame]:
    """Like `frames`, of several workspaces; None: of all, and of the instance."""
    return read(connection, NEXT, workspaces, topics, {"after": after, "up_to": up_to}, limit)


def frames_before(
    connection: Connection[Any],
    *,
    workspace_id: UUID | None,
    before: int | None = None,
    topics: Collection[str] | None = None,
    limit: int,
) -> list[EventFrame]:
    """The events before a position, or the log's last ones, newest first. Else like `frames`."""
    values = {"before": LAST if before is None else before}
    return read(connection, PREVIOUS, one_or_all(workspace_id), topics, values, limit)


def one_or_all(workspace_id: UUID | None) -> Collection[UUID] | None:
    return None if workspace_id is None else (workspace_id,)


def frames_at(connection: Connection[Any], positions: Collection[int]) -> list[EventFrame]:
    """The events at these positions, of whichever workspace, oldest first."""
    values = {"after": 0, "positions": list(positions)}
    return read(connection, AT, None, None, values, len(positions))


def read(
    connection: Connection[Any],
    direction: Direction,
    workspaces: Collection[UUID] | None,
    topics: Collection[str] | None,
    range_: Mapping[str, Any],
    limit: int,
) -> list[EventFrame]:
    """Piece by piece: frames are small, but the states that they are taken from are not."""
    conditions = [direction.condition]
    asked: UUID | list[UUID] | None = None
    if workspaces is not None:
        # A single one has an index, in which its events are in order.
        is_single = len(workspaces) == 1
        conditions.append(f"workspace_id = {'' if is_single else 'ANY'}(%(workspaces)s)")
        asked = next(iter(workspaces)) if is_single else list(workspaces)
    if topics is not None:
        conditions.append("topic = ANY(%(topics)s)")
    statement = PAGE.format(where=" AND ".join(conditions), order=direction.order).encode()
    values: dict[str, Any] = {
        "workspaces": asked,
        "topics": None if topics is None else list(topics),
        "max_bytes": MAX_BYTES,
        **range_,
    }
    found: list[EventFrame] = []
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        while (wanted := min(limit - len(found), MAX_ROWS)) > 0:
            # Never prepared: how to find a small workspace in a long log depends on which it is.
            rows = cursor.execute(statement, {**values, "limit": wanted}, prepare=False).fetchall()
            fitting = [row for row in rows if row[-1] is not None]
            found += [frame(*row) for row in fitting]
            if len(fitting) == len(rows) < wanted:
                break
            values[direction.bound] = found[-1].position
    return found


def frame(*row: Any) -> EventFrame:
    """Of a row of `PAGE`."""
    position, recorded_at, topic, workspace, actor, stream, version = row[:7]
    correlation, causation, command, state = row[7:]
    facts, sealed = facts_of(topic, state)
    return EventFrame(
        position=position,
        recorded_at=recorded_at,
        topic=topic,
        workspace_id=workspace,
        actor_id=actor,
        stream_id=stream,
        stream_version=version,
        correlation_id=correlation,
        causation_position=causation,
        command_id=command,
        facts=facts,
        sealed=sealed,
    )


def facts_of(topic: str, stored: bytes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What may be said of a stored state, and the names of the fields that may not."""
    try:
        cls = class_of(topic)
    except UnknownTopicError:  # of a newer release: nobody here knows what is personal in it
        return {}, (EVERYTHING,)
    state = orjson.loads(stored)
    had_origin = state.pop(ORIGIN, None) is not None
    # As if everybody were erased, which every upcaster has to bear.
    state |= {field: ERASED for field in cls.personal if field in state}
    state |= {field: {} for field in cls.personal_by_subject if field in state}
    for version in range(state.pop("class_version", 1), cls.class_version):
        getattr(cls, f"upcast_v{version}_v{version + 1}")(state)
    sealed = (*cls.personal, *cls.personal_by_subject)
    facts = {
        field: len(value) if field in COUNTED.get(topic, ()) else value
        for field, value in state.items()
        if field not in sealed and field not in ENVELOPE and not is_sealed(value)
    }
    return facts, (*sealed, "origin") if had_origin else sealed


def is_sealed(value: object) -> bool:
    """Also of a field that is personal no longer, but was when it was stored."""
    return isinstance(value, dict) and value.keys() == {SEALED, SUBJECT}
