"""Workspaces, as they were created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from domain.workspace import Workspace
from projections.contract import RecordedEvent

INSERT = """
INSERT INTO {schema}.workspace (workspace_id, name, created_at, position)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::timestamptz[], %b::int8[])
"""


class WorkspacesReadModel:
    name = "workspaces"
    code_version = 2
    topics = frozenset({Workspace.Created.TOPIC})

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.workspace (
            workspace_id uuid PRIMARY KEY,
            name text NOT NULL,
            created_at timestamptz NOT NULL,
            position bigint NOT NULL         -- of the event that last changed the row
        );
        """

    def indexes(self, schema: str) -> str:
        return f"CREATE INDEX ON {schema}.workspace (created_at, workspace_id);"

    def views(self, schema: str) -> Mapping[str, str]:
        return {
            "workspace": f"SELECT workspace_id, name, created_at, position FROM {schema}.workspace"
        }

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        for recorded in events:
            if not isinstance(recorded.event, Workspace.Created):
                raise TypeError(f"workspaces cannot digest {type(recorded.event).__name__}")
        connection.execute(
            INSERT.format(schema=schema).encode(),
            (
                [recorded.event.originator_id for recorded in events],
                [recorded.event.name for recorded in events],
                [recorded.recorded_at for recorded in events],
                [recorded.position for recorded in events],
            ),
        )

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False
