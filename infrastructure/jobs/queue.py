"""What waits, runs and has failed; and what may be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

ENTRIES = """
SELECT job.id, job.task_name AS task, job.queue_name AS queue, job.args AS arguments,
       job.status::text AS status, job.attempts, job.scheduled_at,
       CASE WHEN job.status = 'failed' THEN coalesce(failure.failed_at, event.failed_at) END
           AS failed_at,
       failure.error
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
JOB = ENTRIES + "WHERE job.id = %s"
# By hand it starts anew, with all its attempts.
RETRY = """
WITH retried AS (
    UPDATE jobs.procrastinate_jobs
    SET status = 'todo', attempts = 0, scheduled_at = NULL, worker_id = NULL
    WHERE id = %s AND status = 'failed'
    RETURNING id, queue_name
)
SELECT pg_notify(
    'procrastinate_queue_v1#' || queue_name,
    json_build_object('type', 'job_inserted', 'job_id', id)::text
) FROM retried
"""
DISCARD = "DELETE FROM jobs.procrastinate_jobs WHERE id = %s AND status <> 'doing'"
ABORT = "SELECT jobs.procrastinate_cancel_job_v1(%s, true, false) AS id"
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


class UnknownJobError(Exception):
    """There is no such job; one that succeeded leaves nothing behind."""


class JobNotFailedError(Exception):
    """Only a failed job can be tried again."""


class JobAlreadyQueuedError(Exception):
    """The same is waiting to be done already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEntry:
    id: int
    task: str
    queue: str
    arguments: Mapping[str, Any]
    status: str  # todo, doing, failed
    attempts: int  # that have ended
    scheduled_at: datetime | None  # not before
    failed_at: datetime | None
    error: str | None  # of the last attempt; None: nobody was left to say


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGauge:
    queue: str
    status: str
    jobs: int
    oldest_waiting_seconds: float | None  # only of jobs that are due


class JobQueue:
    """For operators. Every statement is a transaction of its own."""

    def __init__(self, pool: ConnectionPool[Connection[Any]]) -> None:
        self._pool = pool

    def jobs(self, *, limit: int = 100) -> list[JobEntry]:
        """Waiting, running and failed ones, the newest first."""
        return self._jobs(("todo", "doing", "failed"), limit)

    def failed(self, *, limit: int = 100) -> list[JobEntry]:
        return self._jobs(("failed",), limit)

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

    def retry(self, id: int) -> None:
        """
        Put a failed job back into the queue, with all its attempts.

        Raises:
            UnknownJobError, JobNotFailedError, JobAlreadyQueuedError
        """
        with self._pool.connection() as connection:
            try:
                is_retried = connection.execute(RETRY, (id,)).rowcount > 0
            except UniqueViolation:
                raise JobAlreadyQueuedError(f"the work of job {id} is waiting already") from None
        if not is_retried:
            self.job(id)  # or there is none
            raise JobNotFailedError(f"job {id} has not failed")

    def discard(self, id: int) -> Literal["discarded", "asked to stop"]:
        """
        Forget a job. A running one is asked to stop, and is not tried again.

        Raises:
            UnknownJobError
        """
        with self._pool.connection() as connection:
            if connection.execute(DISCARD, (id,)).rowcount > 0:
                return "discarded"
            row = connection.execute(ABORT, (id,)).fetchone()
        if row is None or row[0] is None:
            raise UnknownJobError(f"there is no job {id}")
        return "asked to stop"

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
