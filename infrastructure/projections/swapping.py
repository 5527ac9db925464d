"""Swaps the version that is read for another one, in an instant."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from application.ports.projections import NotWantedError, SwapRefusedError
from infrastructure.projections import registry, views
from infrastructure.projections.loading import Loader
from infrastructure.projections.progress import OnProgress, ignore
from infrastructure.projections.registry import Version
from projections.contract import ReadModel

ATTEMPTS = 60
PAUSE_SECONDS = 0.5
# Whoever wants to read queues behind us while we wait for a view: give up before it is noticed.
VIEW_LOCK_TIMEOUT = "50ms"
ROW_LOCK_TIMEOUT = "500ms"

# Both rows: a runner may be stepping the other one too, if it is a retired version.
LOCK_BOTH = """
SELECT position, status IN ('live', 'halted') AS is_read FROM projection.projection
WHERE name = %s AND (status IN ('live', 'halted') OR version = %s) ORDER BY version FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class Swapper:
    connection: Connection[Any]
    loader: Loader
    is_wanted: Callable[[], bool]

    def swap(self, model: ReadModel, new: Version, on_progress: OnProgress) -> Version:
        """
        Returns the version that is read now. The one before is kept, and no other.

        Raises:
            NotWantedError, RebuildStoppedError, SwapRefusedError
        """
        for _ in range(ATTEMPTS):
            on_progress(self.loader.progress(self.connection, new, "switching"))
            self.require_wanted()
            try:
                old = self._swap_once(model, new)
            except psycopg.errors.LockNotAvailable:
                time.sleep(PAUSE_SECONDS)
                self.loader.load(self.connection, new, ignore)
            else:
                self.drop_older(new.name, old.version)
                return registry.read_version(self.connection, new.name)
        raise SwapRefusedError(
            f"{new.name} could not be swapped in {ATTEMPTS} attempts: some transaction "
            "keeps its views or its row locked; what is read stays as it was"
        )

    def require_wanted(self) -> None:
        """
        Raises:
            NotWantedError
        """
        if not self.is_wanted():
            raise NotWantedError

    def drop_older(self, name: str, kept: int) -> None:
        """Of the retired versions keep this one, to roll back to, if it is there."""
        found = [v for v in registry.versions(self.connection, name) if v.status == "retired"]
        if kept not in {version.version for version in found}:
            return
        for version in found:
            if version.version != kept:
                with self.connection.transaction():
                    registry.drop_version(self.connection, name, version.version)

    def _swap_once(self, model: ReadModel, new: Version) -> Version:
        """Nobody moves either version while we hold their rows. Returns the version before."""
        connection = self.connection
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{ROW_LOCK_TIMEOUT}'")
            rows = connection.execute(LOCK_BOTH, (new.name, new.version)).fetchall()
            [target] = [position for position, is_read in rows if is_read]
            while self.loader.position(connection, new) < target:
                self.loader.step(connection, new)
            old = registry.read_version(connection, new.name)
            connection.execute(f"SET LOCAL lock_timeout = '{VIEW_LOCK_TIMEOUT}'")
            views.show(connection, model, new.version)
            views.hide(connection, old)
            registry.set_status(connection, new.name, old.version, "retired")
            registry.set_status(connection, new.name, new.version, "live")
            registry.announce(connection, new.name, self.loader.position(connection, new))
        return old
