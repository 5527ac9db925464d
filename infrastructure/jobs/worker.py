"""Works on jobs until it is told to stop, whatever happens to the database meanwhile."""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

from procrastinate import App

from infrastructure.jobs.lane import Lane
from infrastructure.jobs.outcomes import Outcomes
from infrastructure.jobs.reaper import Reaper
from infrastructure.jobs.supervision import repeat, supervise, unless
from infrastructure.jobs.sweeper import ask_for_maintenance, sweep
from infrastructure.jobs.threads import JobThreads
from infrastructure.jobs.worker_settings import WorkerSettings
from infrastructure.observability.sampling import watch_pool

logger = logging.getLogger(__name__)


async def run_worker(
    app: App, *, stopping: asyncio.Event, settings: WorkerSettings | None = None
) -> bool:
    """
    A worker for each queue, the sweeper and the reaper, until `stopping` is set.

    The event loop must be its own: jobs run in the loop's executor.

    Returns:
        Whether every job ended. If not, threads are left that only the process's end stops.
    """
    crew = Crew(app, stopping, settings or WorkerSettings())
    asyncio.get_running_loop().set_default_executor(JobThreads())
    await crew.supervise(crew.work, "the job queue")
    return not crew.is_abandoned


class Crew:
    def __init__(self, app: App, stopping: asyncio.Event, settings: WorkerSettings) -> None:
        self._app = app
        self._stopping = stopping
        self._settings = settings
        self._outcomes = Outcomes()
        self._reaper = Reaper(
            app=app,
            stalled_seconds=settings.stalled_seconds,
            limits=settings.limits,
            running=self._outcomes.running,
        )
        self._lanes = [
            Lane(
                app,
                queue,
                concurrency=concurrency,
                outcomes=self._outcomes,
                stopping=stopping,
                settings=settings,
            )
            for queue, concurrency in settings.lanes.items()
            if concurrency > 0
        ]

    @property
    def is_abandoned(self) -> bool:
        return any(lane.is_abandoned for lane in self._lanes)

    async def supervise(self, make: Callable[[], Awaitable[None]], name: str) -> None:
        await supervise(
            make,
            name=name,
            stopping=self._stopping,
            first_wait_seconds=self._settings.first_wait_seconds,
            longest_wait_seconds=self._settings.longest_wait_seconds,
        )

    async def work(self) -> None:
        settings = self._settings
        try:
            if not await unless(self._stopping, self._open()):
                return
            async with asyncio.TaskGroup() as group:
                for lane in self._lanes:
                    group.create_task(self.supervise(lane.live, f"the worker of {lane.queue}"))
                known = settings.code_versions
                for name, action, seconds in (
                    (
                        "the sweeper",
                        functools.partial(sweep, self._app, known),
                        settings.sweep_seconds,
                    ),
                    ("the reaper", self._reap, settings.reap_seconds),
                    (
                        "the housekeeping",
                        functools.partial(ask_for_maintenance, self._app, known),
                        settings.maintain_seconds,
                    ),
                ):
                    again = functools.partial(
                        repeat, action, seconds=seconds, stopping=self._stopping
                    )
                    group.create_task(self.supervise(again, name))
        finally:
            await self._close()

    async def _open(self) -> None:
        await self._app.open_async()
        watch_pool("jobs", cast("Any", self._app.connector).pool)

    async def _close(self) -> None:
        """Also after an opening that failed: only then can it be opened anew."""
        try:
            await asyncio.wait_for(self._app.close_async(), self._settings.close_seconds)
        except TimeoutError:
            logger.warning("connections to the job queue did not close in time")

    async def _reap(self) -> None:
        ids = [lane.worker_id for lane in self._lanes if lane.worker_id is not None]
        await self._reaper.reap(ids)


def run_until_signalled(
    app: App,
    settings: WorkerSettings | None = None,
    *,
    on_start: Callable[[], object] = lambda: None,
    on_stop: Callable[[], object] = lambda: None,
) -> bool:
    """
    Work in the main thread until SIGTERM or SIGINT; a second signal ends the process at once.

    Args:
        on_start: called in the event loop as soon as a signal ends it in order.
        on_stop: called in the event loop when the signal has come; may handle the second one.

    Returns:
        As `run_worker`.
    """

    async def run() -> bool:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            stopping.set()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            on_stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        on_start()
        return await run_worker(app, stopping=stopping, settings=settings)

    return asyncio.run(run())


class InProcessWorker:
    """The same in a thread beside a server, for one process that does it all."""

    def __init__(self, app: App, settings: WorkerSettings | None = None) -> None:
        self._app = app
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._is_clean = False
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Returns before the database answers: the worker waits for it."""
        self._thread.start()
        self._ready.wait()

    def ask_to_stop(self) -> None:
        """Returns at once. Running jobs are asked to stop, and no others are begun."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)

    def stop(self, timeout_seconds: float = 10.0) -> bool:
        """Ask running jobs to stop, and wait for them. Returns whether every job ended in time."""
        self.ask_to_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return self._is_clean and not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        self._is_clean = await run_worker(
            self._app, stopping=self._stopping, settings=self._settings
        )
