"""Finds projections that nobody woke."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from procrastinate import App

from infrastructure.jobs.wakeups import IS_KNOWN, WAKE, known_values

logger = logging.getLogger(__name__)

# Their own queue: building an index takes long, and must not keep a projection waiting.
MAINTAIN = f"""
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
SELECT 'maintenance', 'projections:maintain', 'maintenance:' || name, 'maintenance:' || name,
       jsonb_build_object('name', name)
FROM projection.projection AS p
WHERE status = 'live' AND {IS_KNOWN}
ORDER BY name
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING args ->> 'name' AS name
"""
SWEEP_BLOBS = "uploads:sweep_blobs"
ASK_FOR_SWEEP = """
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, queueing_lock)
VALUES ('maintenance', %(task)s::text, %(task)s::text, %(task)s::text)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""


async def sweep(app: App, code_versions: Mapping[str, int] | None = None) -> list[str]:
    """
    Wake the projections that are behind the log; a halted one waits for somebody to mend it.

    Args:
        code_versions: by name, of the read models that this process has; None: of all.

    Returns:
        The names of those that had no job waiting.
    """
    rows = await app.connector.execute_query_all_async(WAKE, **known_values(code_versions))
    names = [row["name"] for row in rows]
    if names:
        logger.debug("woke %s", ", ".join(names))
    return names


async def ask_for_maintenance(
    app: App, code_versions: Mapping[str, int] | None = None
) -> list[str]:
    """
    Let every read model that this process has do its housekeeping, and let bytes go that were to.

    Returns:
        The names of the read models that had no job waiting.
    """
    if SWEEP_BLOBS in app.tasks:
        await app.connector.execute_query_async(ASK_FOR_SWEEP, task=SWEEP_BLOBS)
    rows = await app.connector.execute_query_all_async(MAINTAIN, **known_values(code_versions))
    return [row["name"] for row in rows]
