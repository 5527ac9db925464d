"""Reads the log in order of position, as projections and exports want it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from infrastructure.log.mapper import SealingMapper
from projections.contract import RecordedEvent

COLUMNS = """
notification_id, recorded_at, topic, workspace_id, actor_id, correlation_id, causation_position,
command_id, originator_id, originator_version, state
"""
PAGE = f"""
SELECT {COLUMNS} FROM log.archive_events
WHERE notification_id > %s AND notification_id <= %s AND topic = ANY(%s)
ORDER BY notification_id LIMIT %s
"""
HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.archive_events"


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
    ) -> list[RecordedEvent]:
        """
        The next events of these topics, decrypted.

        Fewer than `limit` means: there are no more up to and including `up_to`.
        """
        rows = connection.execute(
            PAGE, (after, up_to, list(topics), limit), prepare=True, binary=True
        ).fetchall()
        opened = self._mapper.open([stored(row[8], row[9], row[2], row[10]) for row in rows])
        return [
            RecordedEvent(*row[:8], origin=origin, event=event)
            for row, (event, origin) in zip(rows, opened, strict=True)
        ]


def stored(stream: UUID, version: int, topic: str, state: Any) -> StoredEvent:
    return StoredEvent(
        originator_id=stream, originator_version=version, topic=topic, state=bytes(state)
    )
