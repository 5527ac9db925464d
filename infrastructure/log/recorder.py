"""The recorder: one server-side call appends, in commit order, with the jobs that follow."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from application.ports.event_log import Cause, FirstAnswer
from application.ports.jobs import JobRequest
from infrastructure.jobs.defer import defer_within
from infrastructure.log.appender import AppendRequest, GroupAppender
from infrastructure.log.mapper import NOBODY, RecordableEvent
from infrastructure.observability.reached import note_position
from infrastructure.observability.tracing import TRACEPARENT, span, traceparent
from infrastructure.postgres.connection import DatabaseAwayError
from infrastructure.postgres.pools import Pool
from infrastructure.postgres.watch import DatabaseWatch

APPEND = """
SELECT * FROM log.archive_append(%b::uuid[], %b::int8[], %b::text[], %b::bytea[], %b::uuid[],
                                 %b::uuid[], %b::uuid[], %b::int8[], %b::uuid[]) AS position
"""
REMEMBER = """
INSERT INTO log.command (command_id, workspace_id, name, result, position)
VALUES (%s, %s, %s, %s, %s)
"""
FIRST_ANSWER = """
SELECT name, workspace_id, result, position FROM log.command WHERE command_id = %s
"""
LAST_OF = """
SELECT notification_id AS position, correlation_id FROM log.archive_events
WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1
"""
STORED = """
SELECT state, notification_id FROM log.archive_events
WHERE originator_id = %s AND originator_version = %s
"""
PATIENCE_SECONDS = 3.0  # with a server that is away, since the request was made
LAST_PATIENCE_SECONDS = 1.0  # when the process is stopping
QUICK_SECONDS = 1.0  # a failure that took no longer is worth a second attempt
# Without the stock decorator, which tries ten times, and waits for a connection each time: that
# would be half a minute until somebody is told that the database is away.
SELECT_EVENTS: Any = PostgresApplicationRecorder.select_events.__wrapped__
MAX_NOTIFICATION_ID: Any = PostgresApplicationRecorder.max_notification_id.__wrapped__
FIRST_WAIT_SECONDS = 0.1  # doubled after each attempt
LONGEST_WAIT_SECONDS = 1.0


class AppendOnlyRecorder(PostgresApplicationRecorder):
    """
    The stock recorder for reading; its own way of writing, behind a group-commit appender.

    Positions are handed out under an advisory lock that is held to the commit, so a reader that
    tails by position skips nothing. The stock `LOCK TABLE` would do the same, but needs more
    than INSERT and SELECT, and stands still during every VACUUM of the table.
    """

    def __init__(self, datastore: Any, *, events_table_name: str = "archive_events") -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self.on_commit: Callable[[], None] = lambda: None  # set by who wakes the projections
        self.patience_seconds = PATIENCE_SECONDS
        self.is_patient = False  # also with a database that is known to be away
        self.appender = GroupAppender(self._write, on_commit=self._announce)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> list[int]:
        """
        Append; return positions in order.

        Keyword Args:
            jobs: JobRequests to defer in the same transaction.
            answer: CommandAnswer to remember in the same transaction.

        Raises:
            eventsourcing.persistence.IntegrityError: if one of the events, or an answer to the
                same command, is stored already. Nothing is stored then.
        """
        if not stored_events:
            return []
        with span("append", chatledger__events=len(stored_events)):
            return self.begin_insert(stored_events, **kwargs)()

    def begin_insert(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Callable[[], list[int]]:
        """The same for at least one event; what is returned blocks until they are durable."""
        wait = self.appender.begin(self.request(stored_events, **kwargs))

        def settled() -> list[int]:
            positions = wait()
            note_position(positions[-1])
            return positions

        return settled

    async def insert_events_async(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> list[int]:
        """The same without blocking the event loop."""
        with span("append", chatledger__events=len(stored_events)):
            positions = await self.appender.append_async(self.request(stored_events, **kwargs))
        note_position(positions[-1])
        return positions

    @staticmethod
    def request(stored_events: Sequence[StoredEvent], **kwargs: Any) -> AppendRequest:
        return AppendRequest(
            events=[recordable(event) for event in stored_events],
            jobs=traced(kwargs.get("jobs", ())),
            answer=kwargs.get("answer"),
        )

    def first_answer(self, command_id: UUID) -> FirstAnswer | None:
        """The answer to a command that was carried out before."""
        with self.datastore.get_connection() as connection:
            row = connection.execute(FIRST_ANSWER, (command_id,)).fetchone()
        return None if row is None else FirstAnswer(**row)

    def last_of(self, stream: UUID) -> Cause | None:
        """The last event of a stream; None if it has none."""
        with self.datastore.get_connection() as connection:
            row = connection.execute(LAST_OF, (stream,)).fetchone()
        return None if row is None else Cause(**row)

    def head(self) -> int:
        return self.max_notification_id() or 0

    def select_events(self, *args: Any, **kwargs: Any) -> Sequence[StoredEvent]:
        events: Sequence[StoredEvent] = self._read(SELECT_EVENTS, *args, **kwargs)
        return events

    def max_notification_id(self) -> int | None:
        position: int | None = self._read(MAX_NOTIFICATION_ID)
        return position

    def _read(self, read: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Once more where a connection was lost; not where none could be had in all the time."""
        started = time.monotonic()
        try:
            return read(self, *args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            is_known = isinstance(error.__cause__, DatabaseAwayError)
            if is_known or time.monotonic() > started + QUICK_SECONDS:
                raise
            return read(self, *args, **kwargs)

    def follow(self, watch: DatabaseWatch) -> None:
        """From now on, know what the watch knows of the database."""
        pool = self.datastore.pool
        if isinstance(pool, Pool):
            pool.follow(watch)

    def close(self) -> None:
        """Write what was accepted; but a database that is away must not hold up the end."""
        self.patience_seconds = min(self.patience_seconds, LAST_PATIENCE_SECONDS)
        self.is_patient = False
        self.appender.close()

    def _announce(self) -> None:
        self.on_commit()

    def _write(self, group: Sequence[AppendRequest]) -> list[list[int]]:
        """One transaction. A lost connection is tried again, unless the events made it through."""
        # Counted from when it was asked for: whoever waited behind a group that found the
        # database away must not wait as long again.
        oldest = min(request.submitted_at for request in group)
        for attempt in itertools.count():
            try:
                with self.datastore.get_connection() as connection:
                    return self._write_once(connection, group)
            except (OperationalError, InterfaceError) as error:
                wait_seconds = min(FIRST_WAIT_SECONDS * 2**attempt, LONGEST_WAIT_SECONDS)
                is_late = time.monotonic() + wait_seconds > oldest + self.patience_seconds
                # Away for longer than a restart takes: somebody waits for an answer.
                is_known = isinstance(error.__cause__, DatabaseAwayError)
                if is_late or (is_known and not self.is_patient):
                    raise
                time.sleep(wait_seconds)
            except IntegrityError:
                # After a lost acknowledgement the events may be our own.
                stored = self._already_stored(group) if attempt else None
                if stored is None:
                    raise
                return stored
        raise AssertionError("unreachable")

    def _write_once(
        self, connection: Connection[DictRow], group: Sequence[AppendRequest]
    ) -> list[list[int]]:
        jobs = [job for request in group for job in request.jobs]
        if not jobs and all(request.answer is None for request in group):
            return self._append(connection, group)
        with connection.transaction():
            if jobs:
                # Before the append: the lock is then held for the insert only.
                defer_within(connection, jobs)
            positions = self._append(connection, group)
            for request, own in zip(group, positions, strict=True):
                remember(connection, request, own)
        return positions

    def _append(
        self, connection: Connection[DictRow], group: Sequence[AppendRequest]
    ) -> list[list[int]]:
        events = [event for request in group for event in request.events]
        contexts = [event.context for event in events]
        columns = (
            [event.originator_id for event in events],
            [event.originator_version for event in events],
            [event.topic for event in events],
            [event.state for event in events],
            [context.workspace_id for context in contexts],
            [context.actor_id for context in contexts],
            [context.correlation_id for context in contexts],
            [context.causation_position for context in contexts],
            [context.command_id for context in contexts],
        )
        rows = connection.execute(APPEND, columns, prepare=True).fetchall()
        flat = iter([row["position"] for row in rows])
        return [[next(flat) for _ in request.events] for request in group]

    def _already_stored(self, group: Sequence[AppendRequest]) -> list[list[int]] | None:
        """Positions, if exactly these bytes are in the log; sealing makes every attempt unique."""
        found = []
        with self.datastore.get_connection() as connection:
            for request in group:
                positions = []
                for event in request.events:
                    key = (event.originator_id, event.originator_version)
                    row = connection.execute(STORED, key).fetchone()
                    if row is None or bytes(row["state"]) != event.state:
                        return None
                    positions.append(row["notification_id"])
                found.append(positions)
        return found


def traced(jobs: Sequence[Any]) -> Sequence[Any]:
    """Whoever works on them later goes on with the trace of who asked for them, if there is one."""
    parent = traceparent() if jobs else None
    if parent is None:
        return jobs
    return [
        replace(job, arguments={**job.arguments, TRACEPARENT: parent})
        if isinstance(job, JobRequest)
        else job
        for job in jobs
    ]


def recordable(event: StoredEvent) -> RecordableEvent:
    if isinstance(event, RecordableEvent):
        return event
    return RecordableEvent(
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        topic=event.topic,
        state=event.state,
        context=NOBODY,
    )


def remember(connection: Connection[DictRow], request: AppendRequest, own: list[int]) -> None:
    if request.answer is None:
        return
    context = request.events[-1].context
    if context.command_id is None:
        raise ValueError("an answer needs a command id to be remembered under")
    answer = request.answer
    values = (context.command_id, context.workspace_id, answer.name, Jsonb(answer.result), own[-1])
    connection.execute(REMEMBER, values)
