"""What is kept about a failed job."""

from __future__ import annotations

import traceback
from pathlib import Path

import psycopg
from procrastinate import App
from procrastinate.jobs import Job

from infrastructure.jobs.retry import AttemptsExhaustedError

MAX_CAUSES = 5
PROJECT_FOLDER = Path(__file__).parents[2]

# The job may be gone: discarded while it ran.
RECORD = """
INSERT INTO jobs.job_failure (job_id, attempt, error)
SELECT id, %(attempt)s, %(error)s FROM jobs.procrastinate_jobs WHERE id = %(job_id)s
ON CONFLICT (job_id, attempt)
DO UPDATE SET error = excluded.error, failed_at = clock_timestamp()
"""
# Jobs with a queueing lock are asked for again and again. The newest failure tells it all.
FORGET_EARLIER = """
DELETE FROM jobs.procrastinate_jobs
WHERE status = 'failed' AND queueing_lock = %(queueing_lock)s AND id < %(job_id)s
"""


async def record_failure(app: App, job: Job, error: BaseException) -> None:
    await app.connector.execute_query_async(
        RECORD, job_id=job.id, attempt=job.attempts + 1, error=describe(error)
    )
    if job.queueing_lock is not None:
        await app.connector.execute_query_async(
            FORGET_EARLIER, job_id=job.id, queueing_lock=job.queueing_lock
        )


def describe(error: BaseException) -> str:
    """
    The classes of the exception and of its causes, what is harmless of their messages, the place.

    An exception's message may quote what somebody wrote, so most of them are left out.
    """
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < MAX_CAUSES:
        parts.append(describe_one(current))
        current = current.__cause__
    return ", caused by ".join(parts)


def describe_one(error: BaseException) -> str:
    kind = type(error)
    text = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    message = harmless_message(error)
    if message:
        text += f": {message}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PROJECT_FOLDER)]
    ours = [frame for frame in ours if "site-packages" not in frame.filename]
    if ours:
        place = ours[-1]
        path = Path(place.filename).relative_to(PROJECT_FOLDER)
        text += f" at {path.as_posix()}:{place.lineno} in {place.name}"
    return text


def harmless_message(error: BaseException) -> str:
    """Without file names and values: a person may be called by them."""
    if isinstance(error, AttemptsExhaustedError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or ""
    if isinstance(error, psycopg.Error):
        return f"sqlstate {error.sqlstate}" if error.sqlstate else ""
    return ""
