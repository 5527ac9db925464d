"""A read model small enough to see through: it counts workspaces by the length of their name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from domain.workspace import Workspace
from projections.contract import RecordedEvent
from tests.support.archive import Ledger

UPSERT = """
INSERT INTO {schema}.tally AS t (length, n) SELECT * FROM unnest(%b::int4[], %b::int8[])
ON CONFLICT (length) DO UPDATE SET n = t.n + excluded.n
"""


class IndigestibleError(Exception):
    """Its message quotes the event, as a careless read model's would."""


@dataclass(slots=True)
class Tallies:
    """Adds up, so that an event applied twice or skipped shows for ever."""

    name: str = "tallies"
    code_version: int = 1
    topics: frozenset[str] = frozenset({"workspace.created"})
    columns: str = "length, n"  # of its view
    poison: set[str] = field(default_factory=set)  # names that it cannot digest
    pages: list[int] = field(default_factory=list)  # sizes of the pages applied

    def tables(self, schema: str) -> str:
        return f"CREATE TABLE {schema}.tally (length int PRIMARY KEY, n bigint NOT NULL);"

    def indexes(self, schema: str) -> str:
        return f"CREATE INDEX IF NOT EXISTS tally_n ON {schema}.tally (n); -- 100 %"

    def views(self, schema: str) -> Mapping[str, str]:
        return {self.name: f"SELECT {self.columns} FROM {schema}.tally"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        counts = Counter(len(recorded.event.name) for recorded in events)
        columns = (list(counts), list(counts.values()))
        connection.execute(UPSERT.format(schema=schema).encode(), columns)
        for recorded in events:
            if recorded.event.name in self.poison:
                raise IndigestibleError(f"cannot digest {recorded.event.name!r}")
        self.pages.append(len(events))

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        return False


def create_workspaces(ledger: Ledger, names: Iterable[str]) -> int:
    """One event each, in order. Returns the last position."""
    return ledger.record(*(Workspace.create(name) for name in names))


def tallied(connection: Connection[Any], view: str = "read.tallies") -> int:
    """How many events are in it."""
    row = connection.execute(f"SELECT coalesce(sum(n), 0) FROM {view}").fetchone()
    return int(row[0]) if row else 0
