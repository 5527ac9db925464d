"""Conversations with the titles they have had."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.transcript import Transcript
from projections.contract import RecordedEvent

COLUMNS = "workspace_id, conversation_id, format, kind, title, former_titles, upload_id, position"
SELECT = f"""
SELECT {COLUMNS} FROM unnest(%b::uuid[], %b::uuid[]) AS wanted (workspace_id, conversation_id)
JOIN {{schema}}.conversation USING (workspace_id, conversation_id)
"""
UPSERT = f"""
INSERT INTO {{schema}}.conversation ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    kind = excluded.kind, title = excluded.title, former_titles = excluded.former_titles,
    position = excluded.position
"""
Key = tuple[UUID, UUID]  # workspace, conversation


@dataclass(slots=True)
class Row:
    """One row of the table, its fields in the order of `COLUMNS`."""

    workspace_id: UUID
    conversation_id: UUID
    format: str
    kind: str
    title: str
    former_titles: list[str]
    upload_id: UUID
    position: int

    def rename(self, kind: str, title: str, position: int) -> bool:
        """Whether that changes anything."""
        if (kind, title) == (self.kind, self.title):
            return False
        if title != self.title and self.title not in self.former_titles:
            self.former_titles.append(self.title)
        self.kind, self.title, self.position = kind, title, position
        return True


class ConversationsReadModel:
    name = "conversations"
    code_version = 2
    topics = frozenset({Transcript.Recorded.TOPIC})

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.conversation (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            format text NOT NULL,
            kind text NOT NULL,              -- direct, group, channel, ai, unknown
            title text NOT NULL,
            former_titles text[] NOT NULL,   -- oldest first
            upload_id uuid NOT NULL,         -- where it was first seen
            position bigint NOT NULL,        -- of the event that last changed the row
            PRIMARY KEY (workspace_id, conversation_id)
        );
        """

    def indexes(self, schema: str) -> str:
        # Its beginning: PostgreSQL refuses a row whose indexed part is longer than 2,704 bytes.
        return f"CREATE INDEX ON {schema}.conversation (workspace_id, left(title, 200));"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"conversation": f"SELECT * FROM {schema}.conversation"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        page = [row for recorded in events for row in rows(recorded)]
        known = select(
            connection, schema, {(row.workspace_id, row.conversation_id) for row in page}
        )
        changed: dict[Key, Row] = {}
        for row in page:
            key = (row.workspace_id, row.conversation_id)
            current = known.setdefault(key, row)
            if current is row or current.rename(row.kind, row.title, row.position):
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
    """What one transcript says of its conversations. An erased one has no title any more."""
    event = recorded.event
    if not isinstance(event, Transcript.Recorded) or recorded.workspace_id is None:
        raise TypeError(f"conversations cannot digest {type(event).__name__}")
    for text in event.conversations:
        block = event.blocks.get(text)
        if block is not None:
            yield Row(
                workspace_id=recorded.workspace_id,
                conversation_id=UUID(text),
                format=event.format,
                kind=block["kind"],
                title=block["title"],
                former_titles=[],
                upload_id=UUID(event.upload_id),
                position=recorded.position,
            )


def select(connection: Connection[Any], schema: str, keys: Collection[Key]) -> dict[Key, Row]:
    wanted = ([key[0] for key in keys], [key[1] for key in keys])
    found = connection.execute(SELECT.format(schema=schema), wanted, binary=True)
    return {(row[0], row[1]): Row(*row) for row in found}
