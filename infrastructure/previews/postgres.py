"""Previews in PostgreSQL: one row an upload, gone once it is read or withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

KEEP = """
INSERT INTO preview.upload_preview (upload_id, workspace_id, body) VALUES (%s, %s, %s)
ON CONFLICT (upload_id) DO UPDATE SET body = excluded.body, made_at = excluded.made_at
"""
FORGET = "DELETE FROM preview.upload_preview WHERE upload_id = %s"
READ = """
SELECT p.workspace_id, p.upload_id, p.body
FROM unnest(%b::uuid[], %b::uuid[]) AS wanted (workspace_id, upload_id)
JOIN preview.upload_preview AS p USING (workspace_id, upload_id)
"""


class PostgresPreviews:
    """The PreviewStore."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def keep(self, workspace_id: UUID, upload_id: UUID, preview: Mapping[str, Any]) -> None:
        body = Jsonb(preview, dumps=orjson.dumps)
        with self._pool.connection() as connection:
            connection.execute(KEEP, (upload_id, workspace_id, body))

    def forget(self, upload_id: UUID) -> None:
        with self._pool.connection() as connection:
            connection.execute(FORGET, (upload_id,))


def previews_by_upload(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], dict[str, Any]]:
    """
    Args:
        keys: workspace and upload.
    """
    rows = connection.execute(READ, ([key[0] for key in keys], [key[1] for key in keys]))
    return {(row[0], row[1]): row[2] for row in rows}
