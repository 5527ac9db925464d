"""Jobs worked on inside a command's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from infrastructure.container import Container
from infrastructure.jobs.app import make_app
from infrastructure.jobs.wakeups import Waker
from infrastructure.jobs.worker import InProcessWorker
from infrastructure.jobs.worker_settings import WorkerSettings
from infrastructure.log.recorder import AppendOnlyRecorder
from interfaces.jobs.registry import register_tasks

STOP_SECONDS = 1.0  # for the last wake-up; what gets lost with it, a sweeper finds


@contextmanager
def projections_woken(container: Container) -> Iterator[Waker]:
    """
    Around everything that runs for long: tell the workers, whatever their process, of every commit
    of this one, and forget the keys that others destroy.
    """
    container.start_background()
    waker = Waker(container.conninfo, code_versions=container.runner.code_versions)
    cast("AppendOnlyRecorder", container.archive.recorder).on_commit = waker.wake
    try:
        yield waker
    finally:
        waker.stop(STOP_SECONDS)


@contextmanager
def working(container: Container) -> Iterator[InProcessWorker]:
    """
    A worker in a thread of this process, beside any others.

    At the end it asks its jobs to stop; those that do not, in time, are left to `ending`.
    """
    with projections_woken(container):
        app = make_app(container.conninfo)
        register_tasks(app, container)
        worker = InProcessWorker(app, WorkerSettings(code_versions=container.runner.code_versions))
        worker.start()
        try:
            yield worker
        finally:
            worker.stop()
