"""How the running system is doing, from the database and from the server where one runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row

from infrastructure.monitoring.database import DatabaseState, look_at
from infrastructure.monitoring.scrape import Scrape, scrape
from infrastructure.readers.installed import LeftOut
from infrastructure.readers.registry import Readers

TIMEOUT_SECONDS = 2
LATE_SECONDS = 60.0  # a read model that is so far behind is a problem
WAITING_SECONDS = 300.0  # so is a job that waits so long
UNATTENDED_SECONDS = 30.0  # or that waits so long where nobody works
RECENT = 20_000  # events that are looked at
# By position, the newest first: the log has no index on time, and needs none.
LAST_MINUTE = """
SELECT count(*) FROM (
    SELECT recorded_at FROM log.archive_events ORDER BY notification_id DESC LIMIT %s
) AS newest WHERE recorded_at > clock_timestamp() - interval '1 minute'
"""
IN_WORK = """
SELECT upload_id, filename, stage, messages_recorded, messages + coalesce(system, 0) AS messages,
       texts, texts_embedded, updated_at
FROM read.upload WHERE stage IN ('received', 'inspected', 'reading', 'read')
ORDER BY updated_at DESC LIMIT 10
"""
FAILED = """
SELECT job.id, job.task_name AS task, failure.error, failure.failed_at
FROM jobs.procrastinate_jobs AS job
LEFT JOIN LATERAL (
    SELECT error, failed_at FROM jobs.job_failure WHERE job_id = job.id
    ORDER BY attempt DESC LIMIT 1
) AS failure ON true
WHERE job.status = 'failed' ORDER BY job.id DESC LIMIT 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadInWork:
    upload_id: UUID
    filename: str
    stage: str
    messages_recorded: int
    messages: int | None  # None: not inspected yet
    texts: int
    texts_embedded: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedJob:
    id: int
    task: str
    error: str | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    at: datetime
    reason: str | None = None  # why the database said nothing; None: it did
    database: DatabaseState | None = None
    events_last_minute: int = 0
    uploads: list[UploadInWork] = field(default_factory=list)
    failed: list[FailedJob] = field(default_factory=list)  # the newest
    left_out: Sequence[LeftOut] = ()  # readers that are installed here and cannot be used
    server: Scrape | None = None  # None: no server runs at the configured address

    @property
    def problems(self) -> list[str]:
        """What somebody should look after, each as a sentence that says how."""
        if self.database is None:
            return [self.reason or "the database does not answer", *map(str, self.left_out)]
        return [
            *problems_of_read_models(self.database),
            *problems_of_jobs(self.database),
            *map(str, self.left_out),
        ]

    @property
    def is_healthy(self) -> bool:
        """As far as can be seen from here."""
        return not self.problems

    @property
    def is_down(self) -> bool:
        """Nobody serves at the configured address, and nobody works on jobs."""
        return self.server is None and (self.database is None or self.database.workers == 0)


def problems_of_read_models(state: DatabaseState) -> Iterator[str]:
    for version in state.read:
        if version.status == "halted":
            yield (
                f"the read model {version.name} is halted behind position {version.position}: "
                "`chatledger projection status` says why"
            )
        elif version.lag_seconds > LATE_SECONDS:
            yield f"the read model {version.name} is {version.lag_seconds:.0f} s behind the log"


def problems_of_jobs(state: DatabaseState) -> Iterator[str]:
    failed = sum(queue.jobs for queue in state.queues if queue.status == "failed")
    if failed:
        yield f"{failed} jobs have failed: `chatledger jobs list --failed` says why"
    for queue in state.queues:
        waiting = queue.oldest_waiting_seconds or 0.0
        if state.workers == 0 and waiting > UNATTENDED_SECONDS:
            yield f"jobs wait in {queue.queue} and nobody works: start `chatledger worker`"
        elif waiting > WAITING_SECONDS:
            yield f"a job has been waiting in {queue.queue} for {waiting:.0f} s"


class StatusReader:
    """
    Looks again and again, on one connection that is made anew when it is lost.

    Args:
        conninfo: with the rights of the application.
        address: of the server, without a path.
    """

    def __init__(self, conninfo: str, address: str) -> None:
        options = conninfo_to_dict(conninfo).get("options") or ""
        self._conninfo = make_conninfo(
            conninfo,
            options=f"{options} -c statement_timeout={TIMEOUT_SECONDS * 1000}".strip(),
            connect_timeout=TIMEOUT_SECONDS,
        )
        self._address = address
        self._left_out = Readers().left_out
        self._connection: Connection[Any] | None = None

    def look(self) -> SystemStatus:
        """Raises nothing: what cannot be seen is a problem, too."""
        facts: dict[str, Any] = {"at": datetime.now(UTC), "server": scrape(self._address)}
        facts["left_out"] = self._left_out
        try:
            facts |= self._ask()
        except psycopg.errors.UndefinedTable:
            facts["reason"] = "the database has no archive of this release: `chatledger migrate`"
        except psycopg.Error as error:
            self.close()
            facts["reason"] = f"the database does not answer ({type(error).__name__})"
        return SystemStatus(**facts)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _ask(self) -> dict[str, Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._conninfo, autocommit=True)
        connection = self._connection
        state = look_at(connection)
        [events] = connection.execute(LAST_MINUTE, (RECENT,)).fetchone() or [0]
        with connection.cursor(row_factory=class_row(UploadInWork)) as cursor:
            uploads = cursor.execute(IN_WORK).fetchall()
        with connection.cursor(row_factory=class_row(FailedJob)) as cursor:
            failed = cursor.execute(FAILED).fetchall()
        return {
            "database": state,
            "events_last_minute": events,
            "uploads": uploads,
            "failed": failed,
        }
