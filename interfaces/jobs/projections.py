"""Jobs that move read models along the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from procrastinate import App, JobContext
from psycopg_pool import ConnectionPool

from application.commands.operate_projection import OperateProjection, RecordOperationFailure
from application.ports.jobs import Stopped
from infrastructure.discretion import describe
from infrastructure.jobs.retry import BackOff
from infrastructure.jobs.wakeups import wake_projection
from interfaces.jobs.stopping import should_stop

PATIENT = BackOff(max_attempts=5)
BUDGET_SECONDS = 20.0  # then other projections get their turn
SLICE_SECONDS = 2.0  # between two looks at whether to stop


class ProjectionSteps(Protocol):
    def advance(self, name: str, *, budget_seconds: float) -> bool:
        """Returns whether work remains."""
        ...

    def maintain(self, name: str, *, should_stop: Callable[[], bool]) -> bool:
        """Returns whether there is more to do."""
        ...


class OperateProjections(Protocol):
    def __call__(self, command: OperateProjection, *, should_stop: Callable[[], bool]) -> None: ...

    def fail(self, command: RecordOperationFailure) -> None: ...


class ProjectionHandlers(Protocol):
    """What these jobs need of the container."""

    @property
    def pool(self) -> ConnectionPool[Any]: ...

    @property
    def runner(self) -> ProjectionSteps: ...

    @property
    def operate_projection(self) -> OperateProjections: ...


def add_projection_jobs(app: App, handlers: ProjectionHandlers) -> None:
    runner, pool = handlers.runner, handlers.pool

    # Never with a retry: back in the queue they would meet their twin under the queueing lock.
    # What fails is asked for again by the sweeper.
    @app.task(name="projections:advance", queue="projections", retry=False, pass_context=True)
    def advance(context: JobContext, /, *, name: str, **_newer: object) -> None:
        """Steps until the log's end, its turn's end, or the process's."""
        is_stopping = should_stop(context)
        deadline = time.monotonic() + BUDGET_SECONDS
        while runner.advance(name, budget_seconds=SLICE_SECONDS):
            if is_stopping() or time.monotonic() > deadline:
                with pool.connection() as connection:
                    wake_projection(connection, name)
                return

    @app.task(name="projections:maintain", queue="maintenance", retry=False, pass_context=True)
    def maintain(context: JobContext, /, *, name: str, **_newer: object) -> None:
        is_stopping = should_stop(context)
        while runner.maintain(name, should_stop=is_stopping) and not is_stopping():
            continue

    @app.task(name="projections:operate", queue="rebuilding", retry=PATIENT, pass_context=True)
    def operate(context: JobContext, /, *, name: str, wish: int, **_newer: object) -> None:
        """A rebuild or a roll-back. Goes on where a killed worker stopped."""
        try:
            PATIENT.require_attempt_left(context.job)
            command = OperateProjection(name=name, wish=wish)
            handlers.operate_projection(command, should_stop=should_stop(context))
        except Stopped:
            raise
        except Exception as error:
            if PATIENT.is_last_attempt(context.job) or isinstance(error, PATIENT.permanent):
                failure = RecordOperationFailure(name=name, wish=wish, reason=describe(error))
                handlers.operate_projection.fail(failure)
            raise
