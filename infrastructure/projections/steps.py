"""One step of one version of a read model: a page of events in one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from application.ports.projections import UnknownProjectionError
from infrastructure.discretion import describe
from infrastructure.log.reader import MAX_BYTES, LogReader
from infrastructure.observability.tracing import span
from infrastructure.projections import registry
from infrastructure.projections.observing import page_digested
from infrastructure.projections.poison import is_surroundings
from infrastructure.projections.registry import schema_of
from projections.contract import FrameReader, ReadModel

LIVE_LIMIT = 500  # events a step
RETRY_WAITS_SECONDS = (0.05, 0.2, 0.8)  # before an event that fails alone is called poison

# The row's lock is the lease. It falls with the transaction, so a killed process holds nothing,
# and one that was thought dead cannot write after its successor. Tables of another definition
# are left to the processes that know it.
LEASE = """
SELECT position, status FROM projection.projection
WHERE name = %s AND version = %s AND code_version = %s AND status <> 'halted'
FOR UPDATE SKIP LOCKED
"""


class StepResult(NamedTuple):
    events: int  # digested; events that the read model does not want are not counted
    position: int  # reached
    head: int  # of the log, when the step began

    @property
    def is_last(self) -> bool:
        return self.position >= self.head


class Poison(NamedTuple):
    """An event that a read model cannot digest."""

    position: int
    topic: str
    error: str  # without anything personal


class Stepper:
    """Holds no state but what it was given: safe to share between threads."""

    def __init__(self, reader: LogReader, models: Sequence[ReadModel]) -> None:
        self.reader = reader
        self.models = {model.name: model for model in models}

    def model(self, name: str) -> ReadModel:
        """
        Raises:
            UnknownProjectionError
        """
        try:
            return self.models[name]
        except KeyError:
            known = ", ".join(sorted(self.models))
            raise UnknownProjectionError(f"there is no projection {name!r}, only {known}") from None

    def step_or_poison(
        self,
        connection: Connection[Any],
        name: str,
        version: int,
        *,
        limit: int = LIVE_LIMIT,
        max_bytes: int = MAX_BYTES,
    ) -> StepResult | Poison | None:
        """A step; where it fails, smaller ones, down to the event that is to blame."""
        try:
            return self.step(connection, name, version, limit=limit, max_bytes=max_bytes)
        except Exception as error:
            if is_surroundings(error):
                raise
            return self._isolate(connection, name, version, limit)

    def step(
        self,
        connection: Connection[Any],
        name: str,
        version: int,
        *,
        limit: int = LIVE_LIMIT,
        max_bytes: int = MAX_BYTES,
    ) -> StepResult | None:
        """Raises whatever the read model raises; nothing of the page is applied then."""
        model = self.model(name)
        began_at = time.perf_counter()
        with connection.transaction():
            row = connection.execute(
                LEASE, (name, version, model.code_version), prepare=True
            ).fetchone()
            if row is None:
                return None
            after, status = row
            head = self.reader.head(connection)
            if head <= after:
                return StepResult(0, after, head)
            page = self.reader.page(
                connection,
                after=after,
                up_to=head,
                topics=model.topics,
                limit=limit,
                max_bytes=max_bytes,
                frames=model.frames if isinstance(model, FrameReader) else (),
            )
            if page.events:
                with span(f"projection {name}", chatledger__after=after):
                    model.apply(connection, schema_of(name, version), page.events)
            registry.move(connection, name, version, page.position)
            if status == "live":
                registry.announce(connection, name, page.position)
        if page.events:
            page_digested(
                name,
                version,
                is_rebuild=status == "building",
                after=after,
                position=page.position,
                events=page.events,
                seconds=time.perf_counter() - began_at,
            )
        return StepResult(len(page.events), page.position, head)

    def _isolate(
        self, connection: Connection[Any], name: str, version: int, suspects: int
    ) -> StepResult | Poison | None:
        """
        Digest all that comes before the poison, one half of the suspects at a time.

        Returns:
            The result of a step if the failure went away by itself.
        """
        waits = list(RETRY_WAITS_SECONDS)
        while True:
            half = max(1, suspects // 2)
            try:
                result = self.step(connection, name, version, limit=half)
            except Exception as error:
                if is_surroundings(error):
                    raise
                if suspects == 1 and not waits:
                    return self._poison(connection, name, version, error)
                if suspects == 1:
                    time.sleep(waits.pop(0))
                suspects = half
            else:
                suspects -= half
                if result is None or result.is_last or suspects < 1:
                    return result

    def _poison(
        self, connection: Connection[Any], name: str, version: int, error: Exception
    ) -> Poison | None:
        [position] = [
            v.position for v in registry.versions(connection, name) if v.version == version
        ]
        found = self.reader.next(connection, after=position, topics=self.model(name).topics)
        return None if found is None else Poison(*found, describe(error))
