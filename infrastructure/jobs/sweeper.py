"""Finds projections that nobody woke."""

from __future__ import annotations

import logging

from procrastinate import App

from infrastructure.jobs.wakeups import WAKE

logger = logging.getLogger(__name__)

# Their own queue: building an index takes long, and must not keep a projection waiting.
MAINTAIN = """
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
SELECT 'maintenance', 'projections:maintain', 'maintenance:' || name, 'maintenance:' || name,
       jsonb_build_object('name', name)
FROM projection.projection
WHERE status = 'live'
ORDER BY name
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING args ->> 'name' AS name
"""


async def sweep(app: App) -> list[str]:
    """
    Wake the projections that are behind the log; a halted one waits for somebody to mend it.

    Returns:
        The names of those that had no job waiting.
    """
    rows = await app.connector.execute_query_all_async(WAKE)
    names = [row["name"] for row in rows]
    if names:
        logger.debug("woke %s", ", ".join(names))
    return names


async def ask_for_maintenance(app: App) -> list[str]:
    """Let every read model do its housekeeping."""
    rows = await app.connector.execute_query_all_async(MAINTAIN)
    return [row["name"] for row in rows]
