"""Moves every read model along the log, one transaction a step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool

from infrastructure.log.reader import LogReader
from infrastructure.projections import registry, views
from infrastructure.projections.cancelling import CancelledError, cancelled_when
from infrastructure.projections.registry import Version, schema_of
from infrastructure.projections.steps import LEASE, LIVE_LIMIT, Poison, Stepper, StepResult
from projections.contract import ReadModel

ENSURE_LOCK = 7263112  # advisory: one process at a time creates versions
MAINTAIN_LOCK = 7263113  # advisory, first key; the second is a hash of the name
HELD_PAUSE_SECONDS = 0.02
HELD_SECONDS = 1.0  # somebody else steps: after this long, come back later


class ProjectionRunner:
    """
    Safe to share between threads, and to run in any number of processes.

    A step needs two connections at a time: its own, and one to fetch keys with.
    """

    def __init__(
        self, pool: ConnectionPool[Any], reader: LogReader, models: Sequence[ReadModel]
    ) -> None:
        self.pool = pool
        self.stepper = Stepper(reader, models)

    @property
    def models(self) -> Sequence[ReadModel]:
        return tuple(self.stepper.models.values())

    @property
    def names(self) -> list[str]:
        return list(self.stepper.models)

    @property
    def code_versions(self) -> dict[str, int]:
        return {model.name: model.code_version for model in self.models}

    def ensure_all(self) -> list[str]:
        """
        Create what is missing: a first version of each read model, empty, with its views.

        Returns:
            The names whose tables were made by another definition: they stand still, and show
            what they have, until they are rebuilt.
        """
        outdated = []
        with self.pool.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (ENSURE_LOCK,))
            for model in self.models:
                found = [v for v in registry.versions(connection, model.name) if v.is_read]
                if not found:
                    version = registry.create_version(connection, model, "live")
                    registry.run_script(connection, model.indexes(schema_of(model.name, version)))
                    views.show(connection, model, version)
                elif found[0].code_version != model.code_version:
                    outdated.append(model.name)
        return outdated

    def advance(self, name: str, *, budget_seconds: float = 20.0) -> bool:
        """
        Step the version that is read, and a retired one that can still be swapped back to, until
        nothing is left. Returns whether work may remain: then call again.

        A poison event halts its projection; that is visible in the registry, not raised here.
        """
        model = self.stepper.model(name)
        deadline = time.monotonic() + budget_seconds
        held_since: float | None = None
        while True:
            with self.pool.connection() as connection:
                followed = [v for v in registry.versions(connection, name) if is_followed(v, model)]
            results = [self.step(name, version.version) for version in followed]
            if all(result is not None and result.is_last for result in results):
                return False
            now = time.monotonic()
            is_held = all(result is None or result.is_last for result in results)
            held_since = (held_since or now) if is_held else None
            if now > deadline or (held_since and now - held_since > HELD_SECONDS):
                return True
            if is_held:
                time.sleep(HELD_PAUSE_SECONDS)

    def step(self, name: str, version: int, *, limit: int = LIVE_LIMIT) -> StepResult | None:
        """
        One page of events in one transaction.

        Returns:
            None if somebody else is stepping this version, or if it is halted.

        Raises:
            psycopg.Error: if the database is out of reach or out of resources. An event that
                cannot be digested raises nothing: it halts the projection.
        """
        with self.pool.connection() as connection:
            result = self.stepper.step_or_poison(connection, name, version, limit=limit)
            if isinstance(result, Poison):
                self._halt(connection, name, version, result)
                return None
            return result

    def resume(self, name: str) -> bool:
        """Go on with the event that halted it, after a fix. False if nothing was halted."""
        self.stepper.model(name)
        with self.pool.connection() as connection, connection.transaction():
            return registry.forgive(connection, name)

    def maintain(self, name: str, *, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """
        The housekeeping of the version that is read. Returns whether there is more to do.

        A statement of it may take minutes, and is cancelled when it should stop.
        """
        model = self.stepper.model(name)
        key = (MAINTAIN_LOCK, name)
        with self.pool.connection() as connection:
            locked = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", key)
            if not (locked.fetchone() or [False])[0]:
                return False  # another process is at it
            try:
                version = registry.read_version(connection, name)
                if version.code_version != model.code_version:
                    return False
                with cancelled_when(should_stop, connection):
                    return model.maintain(connection, version.schema)
            except CancelledError:
                return True
            finally:
                if not connection.closed:  # else the lock fell with it
                    connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)

    def _halt(self, connection: Connection[Any], name: str, version: int, poison: Poison) -> None:
        """Unless another process got past it meanwhile."""
        key = (name, version, self.stepper.model(name).code_version)
        with connection.transaction():
            row = connection.execute(LEASE, key).fetchone()
            if row is None or row[0] >= poison.position:
                return
            registry.move(connection, name, version, poison.position - 1)
            registry.fail(connection, name, version, *poison)
            if row[1] == "live":
                registry.set_status(connection, name, version, "halted")
                registry.announce(connection, name, poison.position - 1)


def is_followed(version: Version, model: ReadModel) -> bool:
    """Whether this process keeps it up to date. A rebuild takes care of its own."""
    is_kept = version.status in {"live", "retired"} and not version.has_failed
    return is_kept and version.code_version == model.code_version
