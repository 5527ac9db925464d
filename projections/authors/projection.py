"""Authors with the names they have gone by."""

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

# What names are ordered by: alike on every machine, and its beginning only, because PostgreSQL
# refuses a row whose indexed part is longer than 2,704 bytes.
SORT_NAME = 'lower(left(name, 200)) COLLATE "C"'


@dataclass(slots=True)
class Row:
    """One row of the table."""

    workspace_id: UUID
    author_id: UUID
    format: str
    source_id: str
    name: str
    former_names: list[str]
    upload_id: UUID
    position: int
    is_alias: bool  # the name is what an export calls them that was merged into another

    def follow(self, later: Row) -> bool:
        if later.is_alias and not self.is_alias:
            return self._note(later)
        is_better = self.is_alias and not later.is_alias
        if is_better:
            self.format, self.source_id, self.is_alias = later.format, later.source_id, False
        if later.name == self.name and not is_better:
            return False
        if later.name != self.name and self.name not in self.former_names:
            self.former_names.append(self.name)
        self.name, self.position = later.name, later.position
        return True

    def _note(self, alias: Row) -> bool:
        """What another phone or exporter calls somebody stands beside the name."""
        if alias.name == self.name or alias.name in self.former_names:
            return False
        self.former_names.append(alias.name)
        self.position = alias.position
        return True


CHANGING = ("format", "source_id", "name", "former_names", "position", "is_alias")
TABLE = NamedTable("author", Row, CHANGING)


class AuthorsReadModel:
    name = "authors"
    code_version = 5
    topics = frozenset({Transcript.Recorded.TOPIC, Upload.Withdrawn.TOPIC})

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
            is_alias boolean NOT NULL,       -- the name is that of an export merged into another
            PRIMARY KEY (workspace_id, author_id)
        );
        {TABLE.tables(schema)}
        """

    def indexes(self, schema: str) -> str:
        return f"CREATE INDEX ON {schema}.author (workspace_id, ({SORT_NAME}), author_id);"

    def views(self, schema: str) -> Mapping[str, str]:
        return {"author": f"SELECT *, {SORT_NAME} AS sort_name FROM {schema}.author"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        TABLE.apply(connection, schema, events, rows)

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
                is_alias=block.get("is_alias", False),
            )
