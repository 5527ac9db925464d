"""Builds a read model anew beside the one that is read, then swaps the two in an instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg.rows import scalar_row

from application.ports.jobs import Stopped
from application.ports.projections import RebuildRunningError
from domain.projection import Swap
from infrastructure.projections import planning, registry
from infrastructure.projections.indexing import SWITCHING, analyze, index, mark
from infrastructure.projections.loading import Loader
from infrastructure.projections.progress import OnProgress, ignore, never, stopped_when
from infrastructure.projections.registry import Version
from infrastructure.projections.runner import ProjectionRunner
from infrastructure.projections.swapping import Swapper

REBUILD_LOCK = 7263114  # advisory, first key; the second is a hash of the name


def always() -> bool:
    return True


class ProjectionRebuilder:
    """Everything happens on one connection, whose advisory lock keeps a second rebuild away."""

    def __init__(self, runner: ProjectionRunner) -> None:
        self._runner = runner
        self._stepper = runner.stepper
        self._loader = Loader(runner.stepper)

    def plan_rebuild(self, name: str) -> Swap:
        """
        Raises:
            UnknownProjectionError
        """
        model = self._stepper.model(name)
        with self._runner.pool.connection() as connection:
            return planning.plan_rebuild(connection, model)

    def plan_roll_back(self, name: str) -> Swap:
        """
        Raises:
            NothingToRollBackToError, UnknownProjectionError
        """
        model = self._stepper.model(name)
        with self._runner.pool.connection() as connection:
            return planning.plan_roll_back(connection, model)

    def rebuild(
        self,
        name: str,
        on_progress: OnProgress = ignore,
        *,
        swap: Swap | None = None,
        is_wanted: Callable[[], bool] = always,
        should_stop: Callable[[], bool] = never,
    ) -> Version:
        """
        Build a version, or finish one that a killed rebuild left behind, and swap.

        Readers and appends go on meanwhile. Returns the version that is read now; the one before
        is kept up to date, to roll back to.

        Args:
            swap: what was planned when somebody asked for it: where that is done already, nothing
                is. None: it is planned now.
            is_wanted: asked under the lock, and before each attempt to swap.

        Raises:
            NotWantedError, RebuildRunningError, RebuildStoppedError, SwapRefusedError,
            UnknownProjectionError
            Stopped: when asked to; the next rebuild goes on from there.
        """
        model = self._stepper.model(name)
        with self._alone(name) as connection, stopped_when(should_stop, connection):
            swapper = Swapper(connection, self._loader, is_wanted)
            swap = swap or planning.plan_rebuild(connection, model)
            done = self._done(swapper, name, swap)
            if done is not None:
                return done
            new = planning.version_to_build(connection, model, swap.version)
            self._loader.load(connection, new, on_progress, should_stop)
            on_progress(self._loader.progress(connection, new, "indexing"))
            index(connection, model, new)
            while model.maintain(connection, new.schema):
                if should_stop():
                    raise Stopped
            self._loader.load(connection, new, on_progress, should_stop)
            analyze(connection, new)
            mark(connection, new, SWITCHING)
            return swapper.swap(model, new, on_progress)

    def roll_back(
        self,
        name: str,
        on_progress: OnProgress = ignore,
        *,
        swap: Swap | None = None,
        is_wanted: Callable[[], bool] = always,
        should_stop: Callable[[], bool] = never,
    ) -> Version:
        """
        Let readers see the version before again.

        Args:
            swap, is_wanted: as for a rebuild. Without `swap`, a second call undoes the first.

        Raises:
            NotWantedError, NothingToRollBackToError, RebuildRunningError, RebuildStoppedError,
            SwapRefusedError, UnknownProjectionError
            Stopped: when asked to; what is read stays as it was.
        """
        model = self._stepper.model(name)
        with self._alone(name) as connection, stopped_when(should_stop, connection):
            swapper = Swapper(connection, self._loader, is_wanted)
            swap = swap or planning.plan_roll_back(connection, model)
            done = self._done(swapper, name, swap)
            if done is not None:
                return done
            kept = planning.version_to_roll_back_to(connection, model, swap.version)
            self._loader.load(connection, kept, on_progress, should_stop)
            return swapper.swap(model, kept, on_progress)

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

    @staticmethod
    def _done(swapper: Swapper, name: str, swap: Swap) -> Version | None:
        """
        The version that is read, if a run that was killed after its swap has seen to it.

        Raises:
            NotWantedError: whoever held the lock until now has done it, or it was given up.
        """
        swapper.require_wanted()
        read = registry.read_version(swapper.connection, name)
        if read.version != swap.version:
            return None
        swapper.drop_older(name, swap.replaces)
        return read

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
