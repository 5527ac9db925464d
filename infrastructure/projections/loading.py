"""Brings a version that nobody reads up to the end of the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from psycopg import Connection
from psycopg.rows import scalar_row

from application.ports.jobs import Stopped
from application.ports.projections import RebuildStoppedError
from infrastructure.projections.progress import OnProgress, RebuildProgress, Stage, never
from infrastructure.projections.registry import Version
from infrastructure.projections.steps import Poison, Stepper, StepResult

# Of one step. It begins small and grows while steps are quick: who watches sees it move.
FIRST_BYTES, MOST_BYTES = 1024 * 1024, 32 * 1024 * 1024
BYTES_PER_EVENT = 16 * 1024  # a step has so many bytes for each event it may take
STEP_SECONDS = 0.5
HELD_PAUSE_SECONDS = 0.05
POSITION = "SELECT position FROM projection.projection WHERE name = %s AND version = %s"


class Pace:
    """How much a step takes, so that it lasts about half a second wherever it runs."""

    def __init__(self) -> None:
        self.max_bytes = FIRST_BYTES

    @property
    def limit(self) -> int:
        """Events a step."""
        return self.max_bytes // BYTES_PER_EVENT

    def took(self, seconds: float) -> None:
        if seconds < STEP_SECONDS / 2:
            self.max_bytes = min(MOST_BYTES, self.max_bytes * 2)
        elif seconds > STEP_SECONDS:
            self.max_bytes = max(FIRST_BYTES // 4, self.max_bytes // 2)


class Loader:
    """One for all rebuilds: each load has a pace of its own."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper

    def load(
        self,
        connection: Connection[Any],
        new: Version,
        on_progress: OnProgress,
        should_stop: Callable[[], bool] = never,
    ) -> None:
        """
        Raises:
            RebuildStoppedError
            Stopped: when asked to.
        """
        pace = Pace()
        while True:
            if should_stop():
                raise Stopped
            began = time.monotonic()
            result = self.step(connection, new, pace)
            pace.took(time.monotonic() - began)
            if result is None:  # a retired version that a runner is stepping
                time.sleep(HELD_PAUSE_SECONDS)
                continue
            on_progress(
                RebuildProgress(stage="loading", position=result.position, head=result.head)
            )
            if result.is_last:
                return

    def step(
        self, connection: Connection[Any], new: Version, pace: Pace | None = None
    ) -> StepResult | None:
        """
        None: somebody else is at it.

        Raises:
            RebuildStoppedError
        """
        pace = pace or Pace()
        result = self._stepper.step_or_poison(
            connection, new.name, new.version, limit=pace.limit, max_bytes=pace.max_bytes
        )
        if isinstance(result, Poison):
            raise RebuildStoppedError(new.name, **result._asdict())
        return result

    def position(self, connection: Connection[Any], version: Version) -> int:
        cursor = connection.cursor(row_factory=scalar_row)
        position = cursor.execute(POSITION, (version.name, version.version)).fetchone()
        return int(position or 0)

    def progress(
        self, connection: Connection[Any], version: Version, stage: Stage
    ) -> RebuildProgress:
        return RebuildProgress(
            stage=stage,
            position=self.position(connection, version),
            head=self._stepper.reader.head(connection),
        )
