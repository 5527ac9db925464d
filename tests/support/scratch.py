"""A read model in a schema of its own that nobody else sees, gone when the test ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from projections.contract import FrameReader, ReadModel, RecordedEvent
from tests.support.archive import Ledger

SCHEMA = "scratch"


@dataclass(frozen=True, slots=True)
class Tables:
    connection: Connection[Any]

    def rows(self, table: str, columns: str, rest: str = "") -> list[tuple[Any, ...]]:
        """In the order of the columns, unless `rest` says otherwise."""
        order = "" if "ORDER BY" in rest else f"ORDER BY {columns}"
        query = f"SELECT {columns} FROM {SCHEMA}.{table} {rest} {order}"
        return self.connection.execute(query.encode()).fetchall()

    def one(self, table: str, columns: str, rest: str = "") -> tuple[Any, ...]:
        [row] = self.rows(table, columns, rest)
        return row

    def everything(self, *tables: str) -> dict[str, list[str]]:
        """All rows of these tables as text, to be compared."""
        return {
            table: sorted(row[0] for row in self.rows(f"{table} AS t", "t::text"))
            for table in tables
        }


def events_of(ledger: Ledger, model: ReadModel, after: int = 0) -> list[RecordedEvent]:
    """What the read model would be given of the ledger's workspace."""
    frames = model.frames if isinstance(model, FrameReader) else ()
    found: list[RecordedEvent] = []
    head = ledger.head()
    with ledger.pool.connection() as connection:
        while after < head:
            page = ledger.reader.page(
                connection, after=after, up_to=head, topics=model.topics, limit=500, frames=frames
            )
            found += page.events
            after = page.position
    return [recorded for recorded in found if recorded.workspace_id == ledger.workspace_id]


@contextmanager
def projected(
    ledger: Ledger,
    model: ReadModel,
    events: Sequence[RecordedEvent] | None = None,
    *,
    page: int = 1_000_000,
) -> Iterator[Tables]:
    """
    The read model built from these events (all of the workspace if not given), page by page.

    With its indexes, which refuse what does not fit in. Nothing of it is ever committed.
    """
    given = events_of(ledger, model) if events is None else events
    with ledger.pool.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        connection.execute(model.tables(SCHEMA).encode())
        connection.execute(model.indexes(SCHEMA).encode())
        for start in range(0, len(given), page):
            model.apply(connection, SCHEMA, given[start : start + page])
        yield Tables(connection)
