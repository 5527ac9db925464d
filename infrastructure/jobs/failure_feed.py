"""Failed jobs in the order in which they failed, for whoever follows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

CHANNEL = "job_failed"  # payload: a failure_id; an attempt that is tried again is notified, too

# Of a job that failed more than once, only its last failure: it got its number when the job was
# given up, and nothing below a number that is visible can appear later.
AFTER = """
SELECT failure.failure_id, job.id AS job_id, job.task_name AS task, job.queue_name AS queue,
       job.args AS arguments, failure.attempt, failure.error, failure.failed_at
FROM jobs.job_failure AS failure
JOIN jobs.procrastinate_jobs AS job ON job.id = failure.job_id
WHERE failure.failure_id > %s AND job.status = 'failed' AND NOT EXISTS (
    SELECT FROM jobs.job_failure AS later
    WHERE later.job_id = failure.job_id AND later.failure_id > failure.failure_id
)
ORDER BY failure.failure_id LIMIT %s
"""
LAST = "SELECT coalesce(max(failure_id), 0) FROM jobs.job_failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure:
    """A job that was given up, and waits for somebody to retry or discard it."""

    failure_id: int
    job_id: int
    task: str
    queue: str
    arguments: Mapping[str, Any]
    attempt: int  # counted from 1
    error: str | None  # the exception's class and place; None: nobody was left to say
    failed_at: datetime


def failures_after(connection: Connection[Any], failure_id: int, limit: int) -> list[JobFailure]:
    """The jobs that are failed now and have become so after this failure, in that order."""
    with connection.cursor(row_factory=class_row(JobFailure)) as cursor:
        return cursor.execute(AFTER, (failure_id, limit)).fetchall()


def last_failure_id(connection: Connection[Any]) -> int:
    """Where to begin for whoever wants only what fails from now on. 0: nothing ever failed."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute(LAST).fetchone() or 0)
