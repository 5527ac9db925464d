"""Puts jobs back into the queue whose worker is gone, or has lost them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from procrastinate import App
from procrastinate.exceptions import UniqueViolation

logger = logging.getLogger(__name__)

COLUMNS = "job.id, job.task_name, job.worker_id"
# No worker: it ended without the job's end, or another worker's start found it dead.
STRANDED = f"""
SELECT {COLUMNS}
FROM jobs.procrastinate_jobs AS job
LEFT JOIN jobs.procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND (
    worker.id IS NULL
    OR worker.last_heartbeat < now() - make_interval(secs => %(stalled_seconds)s)
    OR (
        SELECT max(event.at) FROM jobs.procrastinate_events AS event
        WHERE event.job_id = job.id AND event.type = 'started'
    ) < now() - make_interval(secs => (%(limits)s::jsonb ->> job.task_name)::float8)
)
ORDER BY job.id
"""
OWN = f"""
SELECT {COLUMNS}
FROM jobs.procrastinate_jobs AS job
WHERE job.status = 'doing' AND job.worker_id = ANY(%(worker_ids)s) AND job.id <> ALL(%(running)s)
ORDER BY job.id
"""
SAME_RUN = """
WHERE id = %(id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker_id)s
"""
# Procrastinate announces new jobs only; without a word this one would wait for the next poll.
RELEASE = f"""
WITH released AS (
    UPDATE jobs.procrastinate_jobs
    SET status = (CASE WHEN abort_requested THEN 'aborted' ELSE 'todo' END)
                 ::jobs.procrastinate_job_status,
        abort_requested = false, attempts = attempts + 1, scheduled_at = NULL, worker_id = NULL
    {SAME_RUN}
    RETURNING id, queue_name
)
SELECT id, pg_notify(
    'procrastinate_queue_v1#' || queue_name,
    json_build_object('type', 'job_inserted', 'job_id', id)::text
) FROM released
"""
DROP = f"DELETE FROM jobs.procrastinate_jobs {SAME_RUN}"
PURGE = "DELETE FROM jobs.procrastinate_jobs WHERE status IN ('succeeded', 'cancelled', 'aborted')"


@dataclass(kw_only=True)
class Reaper:
    """
    Not a job itself: whatever blocks the jobs would block it, too.

    Several may run at the same time. A job that is put back although it still runs somewhere
    runs twice, which every job has to bear.
    """

    app: App
    stalled_seconds: float  # since a worker's last heartbeat
    limits: Mapping[str, float]  # task -> seconds after which a run of it counts as lost
    running: Collection[int]  # jobs that this process is busy with, live
    _suspects: set[tuple[int, int]] = field(default_factory=set)

    async def reap(self, worker_ids: Collection[int]) -> list[int]:
        """
        One round.

        Args:
            worker_ids: of this process's workers.

        Returns:
            Ids of the jobs that were put back, or dropped because the same is waiting already.
        """
        stranded = await self.app.connector.execute_query_all_async(
            STRANDED, stalled_seconds=self.stalled_seconds, limits=dict(self.limits)
        )
        lost = await self._lost(worker_ids)
        found = {row["id"]: row for row in [*stranded, *lost]}
        for row in found.values():
            await self._release(row)
        await self.app.connector.execute_query_async(PURGE)
        return list(found)

    async def _lost(self, worker_ids: Collection[int]) -> list[dict[str, Any]]:
        """
        Jobs that the table says we run, and we do not: their end could not be written.

        Seen twice, because a job is fetched before it runs, and runs before its end is written.
        """
        rows = await self.app.connector.execute_query_all_async(
            OWN, worker_ids=list(worker_ids), running=list(self.running)
        )
        lost = [row for row in rows if (row["id"], row["worker_id"]) in self._suspects]
        self._suspects = {(row["id"], row["worker_id"]) for row in rows}
        return lost

    async def _release(self, row: dict[str, Any]) -> None:
        run = {"id": row["id"], "worker_id": row["worker_id"]}
        try:
            released = await self.app.connector.execute_query_all_async(RELEASE, **run)
        except UniqueViolation:
            # A twin waits under the same queueing lock, and does the same work.
            await self.app.connector.execute_query_async(DROP, **run)
            logger.warning("dropped %s[%s]: its worker is gone", row["task_name"], row["id"])
        else:
            if released:
                logger.warning("requeued %s[%s]: its worker is gone", row["task_name"], row["id"])
