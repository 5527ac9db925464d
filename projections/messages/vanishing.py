"""Messages that a later upload should have and has not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.transcript import ERASED_KEY, IDS_PER_POSITION

# What the told time of a message `m` leaves open: it can have been said so much later.
LEAVES_OPEN = """
CASE m.precision WHEN 'minute' THEN interval '59.999999 seconds'
WHEN 'day' THEN interval '86399.999999 seconds' ELSE interval '0' END
"""
# Messages that an upload `s` should have: all that they leave open of their time is in its time.
# What another exporter leaves out altogether has not vanished.
COVERED = f"""
    m.conversation_id = s.conversation_id AND m.sent_at >= s.first_at
    AND m.sent_at + {LEAVES_OPEN} <= s.last_at
    AND NOT (s.is_foreign AND (m.kind = 'system' AND NOT s.has_notices
                               OR m.attachments IS NOT NULL AND NOT s.has_attachments))
"""


def mark_vanished(connection: Connection[Any], schema: str, upload_id: UUID, position: int) -> None:
    """
    Mark what the upload should have and has not: messages of the time it covers.

    Only where it overlaps: an upload that knows nothing of what is there comes from elsewhere.
    Erased messages are left alone: whether the upload has them cannot be known.
    """
    connection.execute(
        f"""
        WITH vanished AS (
            UPDATE {schema}.message AS m SET vanished_in = %(upload)s, position = %(position)s
            FROM {schema}.upload_span AS s
            WHERE s.upload_id = %(upload)s AND s.known > 0
              AND {COVERED}
              AND m.vanished_in IS NULL AND NOT m.upload_ids @> ARRAY[%(upload)s]
              AND NOT starts_with(m.message_key, %(erased)s)
            RETURNING 1
        )
        UPDATE {schema}.upload_outcome SET vanished = vanished + (SELECT count(*) FROM vanished)
        WHERE upload_id = %(upload)s
        """.encode(),
        {"upload": upload_id, "position": position, "erased": ERASED_KEY},
    )
    connection.execute(
        f"UPDATE {schema}.upload_span SET read_position = %s WHERE upload_id = %s",
        (position, upload_id),
    )


def mark_again(connection: Connection[Any], schema: str, upload_id: UUID, position: int) -> None:
    """
    Decide anew, without a withdrawn upload, which messages of its conversations have vanished.

    Of the uploads that were read to their end after a message was last seen, the first one that
    should have it and has not.
    """
    connection.execute(
        f"""
        UPDATE {schema}.upload_span AS s SET known = (
            SELECT count(*) FROM {schema}.sighting AS g
            JOIN {schema}.message AS m USING (workspace_id, message_id)
            WHERE g.upload_id = s.upload_id AND m.conversation_id = s.conversation_id
              AND m.upload_ids[1] <> s.upload_id
        )
        FROM {schema}.upload_span AS own
        WHERE own.upload_id = %s AND s.conversation_id = own.conversation_id AND s.known > 0
        """.encode(),
        (upload_id,),
    )
    connection.execute(
        f"""
        UPDATE {schema}.message AS m SET vanished_in = told.vanished_in, position = %(position)s
        FROM (
            SELECT m.workspace_id, m.message_id, (
                SELECT s.upload_id FROM {schema}.upload_span AS s
                WHERE {COVERED} AND s.upload_id <> %(upload)s AND s.known > 0
                  AND NOT m.upload_ids @> ARRAY[s.upload_id]
                  AND s.read_position > greatest(m.first_place, (
                      SELECT max(place) FROM {schema}.sighting AS g
                      WHERE g.workspace_id = m.workspace_id AND g.message_id = m.message_id
                  )) / {IDS_PER_POSITION}
                ORDER BY s.read_position LIMIT 1
            ) AS vanished_in
            FROM {schema}.upload_span AS own
            JOIN {schema}.message AS m ON m.conversation_id = own.conversation_id
                AND (m.vanished_in IS NOT NULL
                     OR m.sent_at BETWEEN own.first_at AND own.last_at)
            WHERE own.upload_id = %(upload)s AND NOT starts_with(m.message_key, %(erased)s)
        ) AS told
        WHERE m.workspace_id = told.workspace_id AND m.message_id = told.message_id
          AND m.vanished_in IS DISTINCT FROM told.vanished_in
        """.encode(),
        {"upload": upload_id, "position": position, "erased": ERASED_KEY},
    )
