"""Changes jobs inside somebody else's transaction: what is recorded of them and what is done."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.errors import UniqueViolation

from application.ports.jobs import (
    JobAlreadyQueuedError,
    JobChange,
    JobMovedError,
    JobNotFailedError,
)

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
REMOVE = "DELETE FROM jobs.procrastinate_jobs WHERE id = %s AND status <> 'doing'"
ABORT = """
UPDATE jobs.procrastinate_jobs SET abort_requested = true WHERE id = %s AND status = 'doing'
"""


def change_job(connection: Connection[Any], change: JobChange) -> None:
    """
    In the connection's current transaction, which is lost if this raises.

    Raises:
        JobNotFailedError, JobAlreadyQueuedError: it cannot be tried again.
        JobMovedError: it is not, or no longer, in the state that was decided on.
    """
    id_ = change.job_id
    match change.action:
        case "retry":
            try:
                is_done = connection.execute(RETRY, (id_,)).rowcount > 0
            except UniqueViolation:
                raise JobAlreadyQueuedError(f"the work of job {id_} is waiting already") from None
            if not is_done:
                raise JobNotFailedError(f"job {id_} has not failed")
        case "remove":
            require(connection.execute(REMOVE, (id_,)).rowcount, id_)
        case "abort":
            require(connection.execute(ABORT, (id_,)).rowcount, id_)


def require(rows: int, id: int) -> None:
    if not rows:
        raise JobMovedError(f"job {id} began or ended just now")
