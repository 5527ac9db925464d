"""What waits, runs and has failed; and what may be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from application.ports.jobs import JobFacts, UnknownJobError
from projections.paging import Slice, Window

ENTRIES = """
SELECT job.id, job.task_name AS task, job.queue_name AS queue, job.args AS arguments,
       job.status::text AS status, job.attempts, job.scheduled_at,
       CASE WHEN job.status = 'failed' THEN coalesce(failure.failed_at, event.failed_at) END
           AS failed_at,
       -- A job that was put back by hand begins anew.
       CASE WHEN job.status = 'failed' OR job.attempts > 0 THEN failure.error END AS error
FROM jobs.procrastinate_jobs AS job
LEFT JOIN LATERAL (
    SELECT failed_at, error FROM jobs.job_failure WHERE job_id = job.id
    ORDER BY failed_at DESC LIMIT 1
) AS failure ON true
LEFT JOIN LATERAL (
    SELECT max(at) AS failed_at FROM jobs.procrastinate_events
    WHERE job_id = job.id AND type = 'failed'
) AS event ON true
"""
JOBS = ENTRIES + "WHERE job.status::text = ANY(%s) ORDER BY job.id DESC LIMIT %s"
FAILED = ENTRIES + "WHERE job.status = 'failed'"
JOB = ENTRIES + "WHERE job.id = %s"
JOBS_BY_ID = ENTRIES + "WHERE job.id = ANY(%s)"
GAUGES = """
SELECT queue_name AS queue, status::text AS status, count(*) AS jobs,
       max(extract(epoch FROM clock_timestamp() - due_at))
           FILTER (WHERE status = 'todo' AND due_at <= clock_timestamp())::float8
           AS oldest_waiting_seconds
FROM (
    SELECT job.queue_name, job.status, CASE WHEN job.status = 'todo' THEN coalesce(
        job.scheduled_at,
        (SELECT max(event.at) FROM jobs.procrastinate_events AS event
         WHERE event.job_id = job.id
           AND event.type IN ('deferred', 'deferred_for_retry', 'retried'))
    ) END AS due_at
    FROM jobs.procrastinate_jobs AS job
) AS job
GROUP BY queue_name, status
ORDER BY queue_name, status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEntry(JobFacts):
    queue: str
    scheduled_at: datetime | None  # not before
    failed_at: datetime | None
    error: str | None  # of the last attempt; None: nobody was left to say


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGauge:
    queue: str
    status: str
    jobs: int
    oldest_waiting_seconds: float | None  # only of jobs that are due


def jobs_by_id(connection: Connection[Any], ids: Sequence[int]) -> dict[int, JobEntry]:
    """As far as there are any."""
    with connection.cursor(row_factory=class_row(JobEntry)) as cursor:
        return {job.id: job for job in cursor.execute(JOBS_BY_ID, (list(ids),)).fetchall()}


class JobQueue:
    """For operators: only looks. What they do about a job is recorded with its effect."""

    def __init__(self, pool: ConnectionPool[Connection[Any]]) -> None:
        self._pool = pool

    def jobs(self, *, limit: int = 100) -> list[JobEntry]:
        """Waiting, running and failed ones, the newest first."""
        return self._jobs(("todo", "doing", "failed"), limit)

    def failed(self, *, limit: int = 100) -> list[JobEntry]:
        return self._jobs(("failed",), limit)

    def failed_page(self, window: Window) -> Slice[JobEntry]:
        """The newest first."""
        rest, values = window.sql(["job.id"], descending=True)
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(JobEntry)) as cursor,
        ):
            return window.slice(cursor.execute((FAILED + rest).encode(), values).fetchall())

    def job(self, id: int) -> JobEntry:
        """
        Raises:
            UnknownJobError
        """
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(JobEntry)) as cursor,
        ):
            found = cursor.execute(JOB, (id,)).fetchone()
        if found is None:
            raise UnknownJobError(f"there is no job {id}")
        return found

    def gauges(self) -> list[QueueGauge]:
        """How many jobs there are, and how long the longest has been waiting."""
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(QueueGauge)) as cursor,
        ):
            return cursor.execute(GAUGES).fetchall()

    def _jobs(self, statuses: tuple[str, ...], limit: int) -> list[JobEntry]:
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(JobEntry)) as cursor,
        ):
            return cursor.execute(JOBS, (list(statuses), limit)).fetchall()
