"""The worker of one queue: so that long jobs of another one never keep it waiting."""

from __future__ import annotations

import asyncio
import logging

from procrastinate import App
from procrastinate.worker import Worker

from infrastructure.jobs.outcomes import UNCOUNT, Outcomes
from infrastructure.jobs.worker_settings import WorkerSettings

logger = logging.getLogger(__name__)

FORGET = "DELETE FROM jobs.procrastinate_workers WHERE id = ANY(%(worker_ids)s)"
RUNNING = "SELECT id FROM jobs.procrastinate_jobs WHERE status = 'doing' AND worker_id = %(id)s"


class Lane:
    """One life of it is a Procrastinate worker from its registration to its end."""

    def __init__(
        self,
        app: App,
        queue: str,
        *,
        concurrency: int,
        outcomes: Outcomes,
        stopping: asyncio.Event,
        settings: WorkerSettings,
    ) -> None:
        self.queue = queue
        self.is_abandoned = False  # a job did not end in time
        self._app = app
        self._concurrency = concurrency
        self._outcomes = outcomes
        self._stopping = stopping
        self._settings = settings
        self._worker: Worker | None = None
        self._past_ids: set[int] = set()  # of workers that ended without signing off

    @property
    def worker_id(self) -> int | None:
        return None if self._worker is None else self._worker.worker_id

    async def live(self) -> None:
        """Work until `stopping` is set, or until the worker fails."""
        await self._forget_past_lives()
        self._worker = worker = self._make_worker()
        life = asyncio.create_task(worker.run(), name=f"worker {self.queue}")  # type: ignore[no-untyped-call]
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({life, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not life.done():
                worker.stop()  # type: ignore[no-untyped-call]
                await asyncio.wait({life}, timeout=self._settings.stop_seconds)
        finally:
            stop.cancel()
            if worker.worker_id is not None:
                self._past_ids.add(worker.worker_id)
        if life.done():
            life.result()
        else:
            self.is_abandoned = True
            await asyncio.wait_for(self._abandon(worker), self._settings.close_seconds)

    def _make_worker(self) -> Worker:
        settings = self._settings
        return Worker(
            self._app,
            queues=[self.queue],
            name=self.queue,
            concurrency=self._concurrency,
            fetch_job_polling_interval=settings.poll_seconds,
            abort_job_polling_interval=settings.poll_seconds,
            shutdown_graceful_timeout=settings.grace_seconds,
            # Finished rows slow down a worker's start. Failed ones stay: they are the dead letters.
            delete_jobs="successful",
            additional_context={"should_stop": self._stopping.is_set},
            # Signals belong to the process: Procrastinate's handlers would swallow SIGTERM.
            install_signal_handlers=False,
            update_heartbeat_interval=settings.heartbeat_seconds,
            stalled_worker_timeout=settings.stalled_seconds,
            worker_middleware=[self._outcomes],
        )

    async def _forget_past_lives(self) -> None:
        """A worker that lost the database could not sign off: its jobs wait for the reaper."""
        if self._past_ids:
            await self._app.connector.execute_query_async(FORGET, worker_ids=list(self._past_ids))
            self._past_ids.clear()

    async def _abandon(self, worker: Worker) -> None:
        """Leave running jobs to the end of the process; another one's reaper puts them back."""
        connector = self._app.connector
        rows = await connector.execute_query_all_async(RUNNING, id=worker.worker_id)
        ids = [row["id"] for row in rows]
        logger.warning("%s: leaving jobs %s, which did not stop in time", self.queue, ids)
        await connector.execute_query_async(UNCOUNT, ids=ids)
        await self._forget_past_lives()
