"""Authors with the names they have gone by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.transcript import Transcript
from projections.contract import RecordedEvent

COLUMNS = "workspace_id, author_id, format, source_id, name, former_names, upload_id, position"
SELECT = f"""
SELECT {COLUMNS} FROM unnest(%b::uuid[], %b::uuid[]) AS wanted (workspace_id, author_id)
JOIN {{schema}}.author USING (workspace_id, author_id)
"""
UPSERT = f"""
INSERT INTO {{schema}}.author ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, author_id) DO UPDATE SET
    name = excluded.name, former_names = excluded.former_names, position = excluded.position
"""
Key = tuple[UUID, UUID]  # workspace, author


@dataclass(slots=True)
class Row:
    """One row of the table, its fields in the order of `COLUMNS`."""

    workspace_id: UUID
    author_id: UUID
    format: str
    source_id: str
    name: str
    former_names: list[str]
    upload_id: UUID
    position: int

    def rename(self, name: str, position: int) -> bool:
        """Whether that changes anything."""
        if name == self.name:
            return False
        if self.name not in self.former_names:
            self.former_names.append(self.name)
        self.name, self.position = name, position
        return True


class AuthorsReadModel:
    name = "authors"
    code_version = 2
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
        # Its beginning: PostgreSQL refuses a row whose indexed part is longer than 2,704 bytes.
        return f"CREATE INDEX ON {schema}.author (workspace_id, left(name, 200));"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"author": f"SELECT * FROM {schema}.author"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        page = [row for recorded in events for row in rows(recorded)]
        known = select(connection, schema, {(row.workspace_id, row.author_id) for row in page})
        changed: dict[Key, Row] = {}
        for row in page:
            key = (row.workspace_id, row.author_id)
            current = known.setdefault(key, row)
            if current is row or current.rename(row.name, row.position):
                changed[key] = current
        if changed:
            with connection.cursor() as cursor:
                cursor.executemany(
                    UPSERT.format(schema=schema), [astuple(row) for row in changed.values()]
                )

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False


def rows(recorded: RecordedEvent) -> Iterator[Row]:
    """What one transcript says of its authors. An erased one has no name any more."""
    event = recorded.event
    if not isinstance(event, Transcript.Recorded) or recorded.workspace_id is None:
        raise TypeError(f"authors cannot digest {type(event).__name__}")
    for text in event.authors:
        block = event.blocks.get(text)
        if block is not None:
            yield Row(
                workspace_id=recorded.workspace_id,
                author_id=UUID(text),
                format=event.format,
                source_id=block["source"],
                name=block["name"],
                former_names=[],
                upload_id=UUID(event.upload_id),
                position=recorded.position,
            )


def select(connection: Connection[Any], schema: str, keys: Collection[Key]) -> dict[Key, Row]:
    wanted = ([key[0] for key in keys], [key[1] for key in keys])
    found = connection.execute(SELECT.format(schema=schema), wanted, binary=True)
    return {(row[0], row[1]): Row(*row) for row in found}
