"""What is kept about a failed job."""

from __future__ import annotations

from procrastinate import App
from procrastinate.jobs import Job

from infrastructure.discretion import describe

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
