"""One row for every search, for whoever made it. Of one whose key was destroyed, not its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from domain.aggregate import Erased
from domain.search import Search
from projections.contract import RecordedEvent, storable

INSERT = """
INSERT INTO {schema}.search (
    position, workspace_id, searcher_id, search_id, searched_at, query, mode, filters, sort,
    time_zone, hit_limit, is_first_page, hits, is_partial, milliseconds, model, log_position,
    engine, saved_search_id
)
SELECT * FROM unnest(
    %b::int8[], %b::uuid[], %b::uuid[], %b::uuid[], %b::timestamptz[], %b::text[], %b::text[],
    %b::jsonb[], %b::text[], %b::text[], %b::int4[], %b::bool[], %b::int4[], %b::bool[],
    %b::float8[], %b::text[], %b::int8[], %b::text[], %b::uuid[]
)
"""


class SearchesReadModel:
    name = "searches"
    code_version = 1
    topics = frozenset({Search.Performed.TOPIC})

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.search (
            position bigint PRIMARY KEY,
            workspace_id uuid NOT NULL,
            searcher_id uuid NOT NULL,
            search_id uuid NOT NULL,         -- the stream
            searched_at timestamptz NOT NULL,
            query text,                      -- null: the searcher's key was destroyed
            mode text NOT NULL,
            filters jsonb,                   -- those of the query included; null: as of the query
            sort text,                       -- null, as the next ones: recorded by an early version
            time_zone text,
            hit_limit int,
            is_first_page boolean NOT NULL,
            hits int NOT NULL,
            is_partial boolean NOT NULL,
            milliseconds double precision NOT NULL,
            model text,                      -- null: only words were searched
            log_position bigint NOT NULL,    -- that the answer reflected
            engine text,
            saved_search_id uuid             -- null: it was written for the occasion
        );
        """

    def indexes(self, schema: str) -> str:
        return f"CREATE INDEX ON {schema}.search (workspace_id, searcher_id, position);"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"search": f"SELECT * FROM {schema}.search"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        # Of no workspace there is no list.
        rows = [row(recorded) for recorded in events if recorded.workspace_id is not None]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            connection.execute(INSERT.format(schema=schema).encode(), columns)

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False


def row(recorded: RecordedEvent) -> tuple[Any, ...]:
    event = recorded.event
    if not isinstance(event, Search.Performed):
        raise TypeError(f"searches cannot digest {type(event).__name__}")
    return (
        recorded.position,
        recorded.workspace_id,
        UUID(event.searcher_id),
        event.originator_id,
        recorded.recorded_at,
        None if isinstance(event.query, Erased) else storable(event.query),
        event.mode,
        None if isinstance(event.filters, Erased) else Jsonb(event.filters),
        event.sort,
        event.time_zone,
        event.limit,
        event.after is None and event.alone is None,
        len(event.hits),
        event.is_partial,
        event.milliseconds,
        event.model,
        event.position,
        event.engine,
        None if event.saved_search_id is None else UUID(event.saved_search_id),
    )
