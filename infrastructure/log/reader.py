"""Reads the log in order of position, as projections and exports want it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from infrastructure.log.mapper import SealingMapper, class_of
from projections.contract import RecordedEvent

MAX_BYTES = 16 * 1024 * 1024  # of event states in one page; a batch of messages has 100-200 KB

COLUMNS = """
notification_id, recorded_at, topic, workspace_id, actor_id, correlation_id, causation_position,
command_id, originator_id, originator_version
"""
# The sizes come from the TOAST pointers: a state beyond the limit is not even read from disk.
PAGE = f"""
SELECT {COLUMNS}, CASE WHEN bytes <= %s OR number = 1 THEN state END
FROM (
    SELECT {COLUMNS}, state, row_number() OVER preceding AS number,
           sum(octet_length(state)) OVER preceding AS bytes
    FROM log.archive_events
    WHERE notification_id > %s AND notification_id <= %s AND topic = ANY(%s)
    WINDOW preceding AS (ORDER BY notification_id ROWS UNBOUNDED PRECEDING)
    ORDER BY notification_id LIMIT %s
) AS page
ORDER BY notification_id
"""
HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.archive_events"
NEXT = """
SELECT notification_id, topic FROM log.archive_events
WHERE notification_id > %s AND topic = ANY(%s) ORDER BY notification_id LIMIT 1
"""


class Page(NamedTuple):
    events: list[RecordedEvent]
    position: int  # whoever digested these events has reached it; `up_to` on the last page


class LogReader:
    """Holds no state but the mapper: safe to share between threads."""

    def __init__(self, mapper: SealingMapper) -> None:
        self._mapper = mapper

    def head(self, connection: Connection[Any]) -> int:
        """The last position; 0 if the log is empty. Nothing below it can appear later."""
        row = connection.execute(HEAD).fetchone()
        return 0 if row is None else int(row[0])

    def page(
        self,
        connection: Connection[Any],
        *,
        after: int,
        up_to: int,
        topics: Collection[str],
        limit: int,
        max_bytes: int = MAX_BYTES,
        frames: Collection[str] = (),
    ) -> Page:
        """
        The next events of these topics, decrypted: up to `limit` events and `max_bytes` bytes,
        but one event at least if there is one.

        Of the topics in `frames` the fields by subject stay closed, and come empty.
        """
        rows = connection.execute(
            PAGE, (max_bytes, after, up_to, list(topics), limit), prepare=True, binary=True
        ).fetchall()
        fitting = [row for row in rows if row[10] is not None]
        is_last = len(fitting) == len(rows) < limit
        opened = self._mapper.open([stored(row, frames) for row in fitting])
        events = [recorded(row, *pair) for row, pair in zip(fitting, opened, strict=True)]
        return Page(events, up_to if is_last else events[-1].position)

    def next(
        self, connection: Connection[Any], *, after: int, topics: Collection[str]
    ) -> tuple[int, str] | None:
        """Position and topic of the next event of these topics, without opening it."""
        row = connection.execute(NEXT, (after, list(topics))).fetchone()
        return None if row is None else (int(row[0]), str(row[1]))


def stored(row: Sequence[Any], frames: Collection[str]) -> StoredEvent:
    topic, state = row[2], bytes(row[10])
    return StoredEvent(
        originator_id=row[8],
        originator_version=row[9],
        topic=topic,
        state=frame(topic, state) if topic in frames else state,
    )


def frame(topic: str, state: bytes) -> bytes:
    content = orjson.loads(state)
    content.update({field: {} for field in class_of(topic).personal_by_subject})
    return orjson.dumps(content)


def recorded(row: Sequence[Any], event: Any, origin: Mapping[str, str] | None) -> RecordedEvent:
    position, recorded_at, topic, workspace, actor, correlation, causation, command = row[:8]
    return RecordedEvent(
        position=position,
        recorded_at=recorded_at,
        topic=topic,
        workspace_id=workspace,
        actor_id=actor,
        correlation_id=correlation,
        causation_position=causation,
        command_id=command,
        origin=origin,
        event=event,
    )
