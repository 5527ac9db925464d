"""Conversations with the titles they have had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.transcript import Transcript
from domain.upload import Upload
from projections.contract import RecordedEvent
from projections.naming import NamedTable

# What titles are ordered by: alike on every machine, and its beginning only, because PostgreSQL
# refuses a row whose indexed part is longer than 2,704 bytes.
SORT_TITLE = 'lower(left(title, 200)) COLLATE "C"'


@dataclass(slots=True)
class Row:
    """One row of the table."""

    workspace_id: UUID
    conversation_id: UUID
    format: str
    source_id: str
    kind: str
    title: str
    former_titles: list[str]
    upload_id: UUID
    position: int
    is_alias: bool  # the title is what an export calls it that was merged into it

    def follow(self, later: Row) -> bool:
        if later.is_alias and not self.is_alias:
            return self._note(later)
        is_better = self.is_alias and not later.is_alias
        if is_better:
            self.format, self.is_alias = later.format, False
        if (later.kind, later.title) == (self.kind, self.title) and not is_better:
            return False
        if later.title != self.title and self.title not in self.former_titles:
            self.former_titles.append(self.title)
        self.kind, self.title, self.position = later.kind, later.title, later.position
        return True

    def _note(self, alias: Row) -> bool:
        """What another phone or exporter calls it stands beside the title, not in its place."""
        if alias.title == self.title or alias.title in self.former_titles:
            return False
        self.former_titles.append(alias.title)
        self.position = alias.position
        return True


TABLE = NamedTable(
    "conversation", Row, ("format", "kind", "title", "former_titles", "position", "is_alias")
)


class ConversationsReadModel:
    name = "conversations"
    code_version = 5
    topics = frozenset({Transcript.Recorded.TOPIC, Upload.Withdrawn.TOPIC})

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.conversation (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            format text NOT NULL,
            source_id text NOT NULL,         -- the source's own id; where it has none, a title
            kind text NOT NULL,              -- direct, group, channel, ai, unknown
            title text NOT NULL,
            former_titles text[] NOT NULL,   -- oldest first
            upload_id uuid NOT NULL,         -- where it was first seen
            position bigint NOT NULL,        -- of the event that last changed the row
            is_alias boolean NOT NULL,       -- its title is that of an export merged into it
            PRIMARY KEY (workspace_id, conversation_id)
        );
        {TABLE.tables(schema)}
        """

    def indexes(self, schema: str) -> str:
        columns = f"workspace_id, ({SORT_TITLE}), conversation_id"
        return f"CREATE INDEX ON {schema}.conversation ({columns});"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"conversation": f"SELECT *, {SORT_TITLE} AS sort_title FROM {schema}.conversation"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        TABLE.apply(connection, schema, events, rows)

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
                source_id=block["source"],
                kind=block["kind"],
                title=block["title"],
                former_titles=[],
                upload_id=UUID(event.upload_id),
                position=recorded.position,
                is_alias=block.get("is_alias", False),
            )
