"""Saved searches as they are. One whose owner's key was destroyed is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from domain.aggregate import Erased
from domain.saved_search import SavedSearch
from projections.contract import RecordedEvent, storable

INSERT = """
INSERT INTO {schema}.saved_search (
    saved_search_id, workspace_id, owner_id, name, query, mode, filters, sort, time_zone,
    saved_at, saved_position, position
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
RENAME = """
UPDATE {schema}.saved_search SET name = %s, position = %s WHERE saved_search_id = %s
"""
DELETE = "DELETE FROM {schema}.saved_search WHERE saved_search_id = %s"


class SavedSearchesReadModel:
    name = "saved_searches"
    code_version = 1
    topics = frozenset(
        {SavedSearch.Saved.TOPIC, SavedSearch.Renamed.TOPIC, SavedSearch.Deleted.TOPIC}
    )

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.saved_search (
            saved_search_id uuid PRIMARY KEY,
            workspace_id uuid NOT NULL,
            owner_id uuid NOT NULL,
            name text NOT NULL,
            query text NOT NULL,
            mode text NOT NULL,
            filters jsonb NOT NULL,          -- beside those that the query names
            sort text NOT NULL,
            time_zone text NOT NULL,
            saved_at timestamptz NOT NULL,
            saved_position bigint NOT NULL,
            position bigint NOT NULL         -- of the event that last changed the row
        );
        """

    def indexes(self, schema: str) -> str:
        return f"CREATE INDEX ON {schema}.saved_search (workspace_id, owner_id, saved_position);"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"saved_search": f"SELECT * FROM {schema}.saved_search"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        """Row by row: people save few searches, and what happens to one is in order."""
        for recorded in events:
            statement, values = change(recorded)
            if statement:
                connection.execute(statement.format(schema=schema).encode(), values)

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False


def change(recorded: RecordedEvent) -> tuple[str, Sequence[Any]]:
    """A statement with its values; empty: there is nothing to change."""
    match recorded.event:
        case SavedSearch.Saved() as event:
            if isinstance(event.query, Erased):
                return "", ()
            return INSERT, saved(recorded, event)
        case SavedSearch.Renamed() as event:
            if isinstance(event.name, Erased):
                return "", ()
            return RENAME, (storable(event.name), recorded.position, event.originator_id)
        case SavedSearch.Deleted() as event:
            return DELETE, (event.originator_id,)
        case event:
            raise TypeError(f"saved searches cannot digest {type(event).__name__}")


def saved(recorded: RecordedEvent, event: SavedSearch.Saved) -> Sequence[Any]:
    return (
        event.originator_id,
        UUID(event.workspace_id),
        UUID(event.owner_id),
        storable(event.name),
        storable(event.query),
        event.mode,
        Jsonb(event.filters),
        event.sort,
        event.time_zone,
        recorded.recorded_at,
        recorded.position,
        recorded.position,
    )
