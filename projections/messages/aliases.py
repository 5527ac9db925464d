"""Conversations that exports call otherwise than the archive does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.contract import RecordedEvent


def add_aliases(connection: Connection[Any], schema: str, recorded: RecordedEvent) -> None:
    """What an upload was found to tell again; so its next export needs no message in common."""
    event = recorded.event
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            INSERT INTO {schema}.conversation_alias AS a
                (workspace_id, own_id, upload_id, match, position) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (workspace_id, own_id, upload_id) DO UPDATE SET
                match = excluded.match, position = excluded.position
            """,
            [
                (
                    recorded.workspace_id,
                    UUID(match["own"]),
                    event.originator_id,
                    Jsonb(match, dumps=orjson.dumps),
                    recorded.position,
                )
                for match in event.matches
                if match["own"] != match["into"]
            ],
        )
