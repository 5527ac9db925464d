"""Implements the port VectorCatalogue on the vectors read model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

from application.ports.jobs import Stopped
from application.ports.vectors import VectorsLaggingError
from infrastructure.projections.positions import Positions

TIMEOUT_SECONDS = 60.0
KNOWN = """
SELECT text_key FROM read.text_vector
WHERE workspace_id = %s AND model = %s AND text_key = ANY(%b::uuid[])
"""


class PostgresVectorCatalogue:
    def __init__(self, pool: ConnectionPool[Any], positions: Positions) -> None:
        self._pool = pool
        self._positions = positions

    def catch_up(self, position: int, *, should_stop: Callable[[], bool]) -> None:
        has_reached = self._positions.wait(
            ["vectors"], position, timeout_seconds=TIMEOUT_SECONDS, should_stop=should_stop
        )
        if not has_reached and should_stop():
            raise Stopped
        if not has_reached:
            raise VectorsLaggingError(
                f"the vectors read model has not reached position {position} within "
                f"{TIMEOUT_SECONDS:.0f} s: see `chatledger projection status`"
            )

    def known(self, workspace_id: UUID, model: str, text_keys: Collection[UUID]) -> set[UUID]:
        if not text_keys:
            return set()
        with self._pool.connection() as connection:
            rows = connection.execute(KNOWN, (workspace_id, model, list(text_keys)), binary=True)
            return {row[0] for row in rows}
