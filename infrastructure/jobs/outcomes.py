"""Stands around every job that a worker runs, and looks at how it ends."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.job_context import AbortReason
from procrastinate.worker import Worker

from application.ports.jobs import Stopped
from infrastructure.jobs.failures import record_failure
from infrastructure.jobs.observing import cause_of, observed

logger = logging.getLogger(__name__)

# Its return to the queue will count one attempt; that it was stopped is not the job's fault.
UNCOUNT = """
UPDATE jobs.procrastinate_jobs SET attempts = attempts - 1
WHERE id = ANY(%(ids)s) AND status = 'doing'
"""


class Outcomes:
    """Middleware of all workers of a process."""

    def __init__(self) -> None:
        self.running: set[int] = set()  # ids of jobs

    async def __call__(
        self, call_next: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> Any:
        del worker
        job = context.job
        assert job.id is not None, "only a stored job can run"  # noqa: S101 - for the type only
        self.running.add(job.id)
        try:
            with observed(context, await cause_of(context)):
                return await self._settled(call_next, context)
        finally:
            self.running.discard(job.id)

    async def _settled(self, call_next: Callable[[], Awaitable[Any]], context: JobContext) -> Any:
        job = context.job
        try:
            return await call_next()
        except JobAborted:
            raise
        except Stopped:
            if context.abort_reason() is AbortReason.USER_REQUEST:
                raise JobAborted from None
            await self._try(
                "uncount", context.app.connector.execute_query_async(UNCOUNT, ids=[job.id])
            )
            raise
        except Exception as error:
            await self._try("record", record_failure(context.app, job, error))
            raise

    async def _try(self, what: str, statement: Awaitable[None]) -> None:
        """A database that does not answer now must not hide how the job ended."""
        try:
            await statement
        except ConnectorException:
            logger.warning("could not %s the end of a job", what, exc_info=True)
