"""Authors with the names they have gone by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.transcript import Transcript
from projections.contract import RecordedEvent

UPSERT = """
INSERT INTO {schema}.author AS a
    (workspace_id, author_id, format, source_id, name, former_names, upload_id, position)
SELECT workspace_id, author_id, format, source_id, name, '{{}}', upload_id, position
FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::uuid[], %b::int8[])
    AS page (workspace_id, author_id, format, source_id, name, upload_id, position)
ON CONFLICT (workspace_id, author_id) DO UPDATE SET
    former_names = CASE
        WHEN a.name = ANY(a.former_names) THEN a.former_names ELSE a.former_names || a.name END,
    name = excluded.name,
    position = excluded.position
WHERE a.name <> excluded.name
"""


class AuthorsReadModel:
    name = "authors"
    code_version = 1
    topics = frozenset({Transcript.Recorded.TOPIC})

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.author (
            workspace_id uuid NOT NULL,
            author_id uuid NOT NULL,
            format text NOT NULL,
            source_id text NOT NULL,         -- the source's own id; where it has none, the name
            name text NOT NULL,
            former_names text[] NOT NULL,    -- oldest first
            upload_id uuid NOT NULL,         -- where they were first seen
            position bigint NOT NULL,        -- of the event that last changed the row
            PRIMARY KEY (workspace_id, author_id)
        );
        """

    def indexes(self, schema: str) -> str:
        return f"CREATE INDEX ON {schema}.author (workspace_id, name);"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"author": f"SELECT * FROM {schema}.author"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        latest: dict[tuple[UUID, UUID], tuple[Any, ...]] = {}
        for recorded in events:
            event = recorded.event
            if not isinstance(event, Transcript.Recorded) or recorded.workspace_id is None:
                raise TypeError(f"authors cannot digest {type(event).__name__}")
            for text in event.authors:
                block = event.blocks.get(text)
                if block is None:
                    continue  # erased
                latest[recorded.workspace_id, UUID(text)] = (
                    event.format,
                    block["source"],
                    block["name"],
                    UUID(event.upload_id),
                    recorded.position,
                )
        if latest:
            columns = zip(*[(*key, *value) for key, value in latest.items()], strict=True)
            connection.execute(UPSERT.format(schema=schema), [list(c) for c in columns])

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False
