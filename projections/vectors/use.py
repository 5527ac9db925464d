"""Which uploads have a text: a vector goes when the last of them is withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.contract import RecordedEvent

USE = """
INSERT INTO {schema}.text_use (workspace_id, text_key, upload_id)
SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[])
ON CONFLICT DO NOTHING
"""
USED = """
SELECT DISTINCT workspace_id, text_key
FROM unnest(%b::uuid[], %b::uuid[]) AS asked (workspace_id, text_key)
JOIN {schema}.text_use USING (workspace_id, text_key)
"""
MARK = "INSERT INTO {schema}.withdrawn_upload (upload_id) VALUES (%(upload)s)"
FORGET_AWAITED = """
DELETE FROM {schema}.coverage WHERE workspace_id = %(workspace)s AND upload_id = %(upload)s
"""
DELETE = """
WITH ended AS (
    DELETE FROM {schema}.text_use WHERE workspace_id = %(workspace)s AND upload_id = %(upload)s
    RETURNING workspace_id, text_key
), gone AS (
    DELETE FROM {schema}.text_vector AS t USING ended
    WHERE t.workspace_id = ended.workspace_id AND t.text_key = ended.text_key
      AND NOT EXISTS (
          SELECT FROM {schema}.text_use AS u
          WHERE u.workspace_id = ended.workspace_id AND u.text_key = ended.text_key
            AND u.upload_id <> %(upload)s
      )
    RETURNING t.workspace_id, t.model, t.segment, t.vector_id
), noted AS (
    INSERT INTO {schema}.removed_vector (vector_id, workspace_id, model, position)
    SELECT vector_id, workspace_id, model, %(position)s FROM gone
)
DELETE FROM {schema}.embedding AS e USING gone
WHERE e.segment = gone.segment AND e.vector_id = gone.vector_id
"""


def texts_of(event: Any) -> Iterator[UUID]:
    """The keys of a transcript's texts, as often as they occur."""
    for block in event.blocks.values():
        for _, fields in block["messages"]:
            if "text_key" in fields:
                yield UUID(fields["text_key"])


def used_among(
    connection: Connection[Any], schema: str, keys: Collection[tuple[UUID, UUID]]
) -> set[tuple[UUID, UUID]]:
    """Those of these workspaces and text keys that an upload has."""
    values = [[workspace for workspace, _ in keys], [key for _, key in keys]]
    return set(connection.execute(USED.format(schema=schema), values, binary=True))


def withdraw(connection: Connection[Any], schema: str, recorded: RecordedEvent) -> None:
    values = {
        "upload": recorded.event.originator_id,
        "workspace": recorded.workspace_id,
        "position": recorded.position,
    }
    for statement in (MARK, FORGET_AWAITED, DELETE):
        connection.execute(statement.format(schema=schema), values)
