"""Uploads in the order in which they last changed, for whoever follows them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from projections.uploads.queries import COLUMNS, UploadRow

HEAD = "SELECT coalesce(max(position), 0) FROM read.upload WHERE workspace_id = %s"
CHANGED = f"""
SELECT {COLUMNS} FROM read.upload
WHERE workspace_id = %(workspace)s AND position > %(after)s
AND (%(upload)s::uuid IS NULL OR upload_id = %(upload)s) ORDER BY position LIMIT %(limit)s
"""


def last_position(connection: Connection[Any], workspace_id: UUID) -> int:
    """Of the event that last changed an upload of the workspace; 0: it has none."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute(HEAD, (workspace_id,), prepare=True).fetchone() or 0)


def changed_uploads(
    connection: Connection[Any],
    workspace_id: UUID,
    *,
    after: int,
    limit: int,
    upload_id: UUID | None = None,
) -> list[UploadRow]:
    """As they are now, those that were changed by an event after this position, in that order."""
    values = {"workspace": workspace_id, "after": after, "limit": limit, "upload": upload_id}
    with connection.cursor(row_factory=class_row(UploadRow)) as cursor:
        return cursor.execute(CHANGED, values, prepare=True).fetchall()
