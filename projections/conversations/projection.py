"""Conversations with the titles they have had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.transcript import Transcript
from projections.contract import RecordedEvent

UPSERT = """
INSERT INTO {schema}.conversation AS c
    (workspace_id, conversation_id, format, kind, title, former_titles, upload_id, position)
SELECT workspace_id, conversation_id, format, kind, title, '{{}}', upload_id, position
FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::uuid[], %b::int8[])
    AS page (workspace_id, conversation_id, format, kind, title, upload_id, position)
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    kind = excluded.kind,
    former_titles = CASE
        WHEN c.title = excluded.title OR c.title = ANY(c.former_titles) THEN c.former_titles
        ELSE c.former_titles || c.title END,
    title = excluded.title,
    position = excluded.position
WHERE (c.title, c.kind) IS DISTINCT FROM (excluded.title, excluded.kind)
"""


class ConversationsReadModel:
    name = "conversations"
    code_version = 1
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
        return f"CREATE INDEX ON {schema}.conversation (workspace_id, title);"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"conversation": f"SELECT * FROM {schema}.conversation"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        # The last title within the page wins; the ones between two pages of it are not kept.
        latest: dict[tuple[UUID, UUID], tuple[Any, ...]] = {}
        for recorded in events:
            event = recorded.event
            if not isinstance(event, Transcript.Recorded) or recorded.workspace_id is None:
                raise TypeError(f"conversations cannot digest {type(event).__name__}")
            for text in event.conversations:
                block = event.blocks.get(text)
                if block is None:
                    continue  # erased: its title is not to be known any more
                key = (recorded.workspace_id, UUID(text))
                latest[key] = (
                    event.format,
                    block["kind"],
                    block["title"],
                    UUID(event.upload_id),
                    recorded.position,
                )
        if latest:
            columns = zip(*[(*key, *value) for key, value in latest.items()], strict=True)
            connection.execute(UPSERT.format(schema=schema), [list(c) for c in columns])

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False
