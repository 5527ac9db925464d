"""Builds a read model anew beside the one that is read, then swaps the two in an instant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import Connection
from psycopg.rows import scalar_row

from infrastructure.projections import registry, views
from infrastructure.projections.indexing import analyze, index
from infrastructure.projections.registry import Version
from infrastructure.projections.runner import ProjectionRunner
from infrastructure.projections.steps import Poison, StepResult
from projections.contract import ReadModel

LIMIT = 2_000  # events a step: nobody waits for a single one
MAX_BYTES = 32 * 1024 * 1024
REBUILD_LOCK = 7263114  # advisory, first key; the second is a hash of the name
SWAP_ATTEMPTS = 60
SWAP_PAUSE_SECONDS = 0.5
HELD_PAUSE_SECONDS = 0.05
# Whoever wants to read queues behind us while we wait for a view: give up before it is noticed.
VIEW_LOCK_TIMEOUT = "50ms"
ROW_LOCK_TIMEOUT = "500ms"

# Both rows: a runner may be stepping the other one too, if it is a retired version.
LOCK_BOTH = """
SELECT position, status IN ('live', 'halted') AS is_read FROM projection.projection
WHERE name = %s AND (status IN ('live', 'halted') OR version = %s) ORDER BY version FOR UPDATE
"""
POSITION = "SELECT position FROM projection.projection WHERE name = %s AND version = %s"
Stage = Literal["loading", "indexing", "switching"]


class RebuildRunningError(Exception):
    """Somebody is rebuilding or rolling back this read model already."""


class RebuildStoppedError(Exception):
    """An event cannot be digested. What is read stays as it was."""

    def __init__(self, name: str, poison: Poison) -> None:
        super().__init__(
            f"the rebuild of {name} stopped at position {poison.position} ({poison.topic}): "
            f"{poison.error}; what is read stays as it was"
        )
        self.position = poison.position


class SwapRefusedError(Exception):
    """The versions could not be swapped; what is read stays as it was."""


class NothingToRollBackToError(Exception):
    """No earlier version is kept, or it cannot be brought up to date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildProgress:
    stage: Stage
    position: int  # reached by the new version
    head: int  # of the log


OnProgress = Callable[[RebuildProgress], None]


def ignore(progress: RebuildProgress) -> None:
    del progress


class ProjectionRebuilder:
    """Everything happens on one connection, whose advisory lock keeps a second rebuild away."""

    def __init__(self, runner: ProjectionRunner) -> None:
        self._runner = runner
        self._stepper = runner.stepper

    def rebuild(self, name: str, on_progress: OnProgress = ignore) -> Version:
        """
        Build the next version, or finish one that a killed rebuild left behind, and swap.

        Readers and appends go on meanwhile. Returns the version that is read now; the one before
        is kept up to date, to roll back to.

        Raises:
            RebuildRunningError, RebuildStoppedError, SwapRefusedError, UnknownProjectionError
        """
        model = self._stepper.model(name)
        with self._alone(name) as connection:
            new = self._open_version(connection, model)
            self._load(connection, new, on_progress)
            on_progress(self._progress(connection, new, "indexing"))
            index(connection, model, new)
            while model.maintain(connection, new.schema):
                pass
            self._load(connection, new, on_progress)
            analyze(connection, new)
            return self._swap(connection, model, new, on_progress)

    def roll_back(self, name: str, on_progress: OnProgress = ignore) -> Version:
        """
        Let readers see the version before again.

        Raises:
            NothingToRollBackToError, RebuildRunningError, SwapRefusedError, UnknownProjectionError
        """
        model = self._stepper.model(name)
        with self._alone(name) as connection:
            kept = [v for v in registry.versions(connection, name) if v.status == "retired"]
            if not kept:
                raise NothingToRollBackToError(f"no earlier version of {name} is kept")
            if kept[0].has_failed:
                raise NothingToRollBackToError(f"version {kept[0].version} of {name} is halted")
            if kept[0].code_version != model.code_version:
                raise NothingToRollBackToError(
                    f"version {kept[0].version} of {name} was made by definition "
                    f"{kept[0].code_version}: run this command of the release that has it"
                )
            self._load(connection, kept[0], on_progress)
            return self._swap(connection, model, kept[0], on_progress)

    def forget(self, name: str) -> list[int]:
        """
        Drop what is kept to roll back to, and what a killed rebuild left behind.

        It costs space and time, and holds a copy of everything. Returns the versions dropped.

        Raises:
            RebuildRunningError, UnknownProjectionError
        """
        self._stepper.model(name)
        with self._alone(name) as connection:
            spare = [v for v in registry.versions(connection, name) if not v.is_read]
            for version in spare:
                with connection.transaction():
                    registry.drop_version(connection, name, version.version)
        return [version.version for version in spare]

    @contextmanager
    def _alone(self, name: str) -> Iterator[Connection[Any]]:
        key = (REBUILD_LOCK, name)
        with self._runner.pool.connection() as connection:
            cursor = connection.cursor(row_factory=scalar_row)
            if not cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", key).fetchone():
                raise RebuildRunningError(f"{name} is being rebuilt or rolled back already")
            try:
                yield connection
            finally:
                if not connection.closed:  # else the lock fell with it
                    connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)

    def _open_version(self, connection: Connection[Any], model: ReadModel) -> Version:
        registry.read_version(connection, model.name)
        unfinished = [
            v for v in registry.versions(connection, model.name) if v.status == "building"
        ]
        for version in unfinished:
            if version.code_version == model.code_version:
                return version
            with connection.transaction():
                registry.drop_version(connection, model.name, version.version)
        with connection.transaction():
            registry.create_version(connection, model, "building")
        return next(v for v in registry.versions(connection, model.name) if v.status == "building")

    def _load(self, connection: Connection[Any], new: Version, on_progress: OnProgress) -> None:
        while True:
            result = self._step(connection, new)
            if result is None:  # a retired version that a runner is stepping
                time.sleep(HELD_PAUSE_SECONDS)
                continue
            on_progress(
                RebuildProgress(stage="loading", position=result.position, head=result.head)
            )
            if result.is_last:
                return

    def _step(self, connection: Connection[Any], new: Version) -> StepResult | None:
        result = self._stepper.step_or_poison(
            connection, new.name, new.version, limit=LIMIT, max_bytes=MAX_BYTES
        )
        if isinstance(result, Poison):
            raise RebuildStoppedError(new.name, result)
        return result

    def _swap(
        self, connection: Connection[Any], model: ReadModel, new: Version, on_progress: OnProgress
    ) -> Version:
        for _ in range(SWAP_ATTEMPTS):
            on_progress(self._progress(connection, new, "switching"))
            try:
                old = self._swap_once(connection, model, new)
            except psycopg.errors.LockNotAvailable:
                time.sleep(SWAP_PAUSE_SECONDS)
                self._load(connection, new, ignore)
            else:
                self._drop_older(connection, old)
                return registry.read_version(connection, new.name)
        raise SwapRefusedError(
            f"{new.name} could not be swapped in {SWAP_ATTEMPTS} attempts: some transaction "
            "keeps its views or its row locked; what is read stays as it was"
        )

    def _swap_once(self, connection: Connection[Any], model: ReadModel, new: Version) -> Version:
        """Nobody moves either version while we hold their rows. Returns the version before."""
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{ROW_LOCK_TIMEOUT}'")
            rows = connection.execute(LOCK_BOTH, (new.name, new.version)).fetchall()
            [target] = [position for position, is_read in rows if is_read]
            while self._position(connection, new) < target:
                self._step(connection, new)
            old = registry.read_version(connection, new.name)
            connection.execute(f"SET LOCAL lock_timeout = '{VIEW_LOCK_TIMEOUT}'")
            views.show(connection, model, new.version)
            views.hide(connection, old)
            registry.set_status(connection, new.name, old.version, "retired")
            registry.set_status(connection, new.name, new.version, "live")
            registry.announce(connection, new.name, self._position(connection, new))
        return old

    def _drop_older(self, connection: Connection[Any], kept: Version) -> None:
        """Keep the version that was read until now, and no other to roll back to."""
        for version in registry.versions(connection, kept.name):
            if version.status == "retired" and version.version != kept.version:
                with connection.transaction():
                    registry.drop_version(connection, version.name, version.version)

    def _position(self, connection: Connection[Any], version: Version) -> int:
        cursor = connection.cursor(row_factory=scalar_row)
        position = cursor.execute(POSITION, (version.name, version.version)).fetchone()
        return int(position or 0)

    def _progress(
        self, connection: Connection[Any], version: Version, stage: Stage
    ) -> RebuildProgress:
        return RebuildProgress(
            stage=stage,
            position=self._position(connection, version),
            head=self._stepper.reader.head(connection),
        )
