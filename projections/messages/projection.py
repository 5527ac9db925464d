"""Transcripts become messages; what was seen before is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.types.json import Jsonb

from domain.transcript import Transcript
from domain.upload import Upload
from projections.contract import RecordedEvent
from projections.messages import schema as ddl
from projections.messages.fold import (
    ERASED_KEY,
    Changes,
    Key,
    Known,
    Row,
    fold,
    rows,
)

COLUMNS = (
    "workspace_id, message_id, conversation_id, author_id, message_key, sent_at, precision, zone, "
    "kind, text, text_key, reply_to, thread, edited_at, reactions, attachments, extra, version, "
    "upload_ids, position"
)
TYPES = [
    "uuid", "int8", "uuid", "uuid", "text", "timestamptz", "text", "text", "text", "text", "uuid",
    "text", "text", "timestamptz", "jsonb", "jsonb", "jsonb", "int4", "uuid[]", "int8",
]  # fmt: skip


class MessagesReadModel:
    name = "messages"
    code_version = 3
    topics = frozenset({Transcript.Recorded.TOPIC, Upload.Read.TOPIC})

    def tables(self, schema: str) -> str:
        return ddl.tables(schema)

    def indexes(self, schema: str) -> str:
        return ddl.indexes(schema)

    def views(self, schema: str) -> Mapping[str, str]:
        return ddl.views(schema)

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        pending: list[RecordedEvent] = []
        for recorded in events:
            match recorded.event:
                case Transcript.Recorded():
                    pending.append(recorded)
                case Upload.Read(originator_id=upload_id):
                    # Only now is it clear what the upload does not have.
                    self._write(connection, schema, pending)
                    pending = []
                    mark_vanished(connection, schema, upload_id, recorded.position)
                case other:
                    raise TypeError(f"messages cannot digest {type(other).__name__}")
        self._write(connection, schema, pending)

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False

    def _write(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        page = [row for recorded in events for row in rows(recorded)]
        if not page:
            return
        stored = select_known(
            connection, schema, {(r.conversation_id, r.message_key) for r in page}
        )
        changes = fold(page, stored)
        insert(connection, schema, changes.fresh.values())
        update(connection, schema, changes)
        add_versions(connection, schema, changes)
        add_outcomes(connection, schema, changes)


def select_known(connection: Connection[Any], schema: str, keys: set[Key]) -> dict[Key, Known]:
    found = connection.execute(
        f"""
        SELECT conversation_id, message_key, workspace_id, message_id, text, version, upload_ids,
               text_key IS NOT NULL, kind = 'deleted', edited_at,
               CASE WHEN version > 1 THEN ARRAY(
                   SELECT v.text FROM {schema}.message_version AS v
                   WHERE v.workspace_id = m.workspace_id AND v.message_id = m.message_id
               ) ELSE '{{}}' END
        FROM unnest(%b::uuid[], %b::text[]) AS wanted (conversation_id, message_key)
        JOIN {schema}.message AS m USING (conversation_id, message_key)
        """,
        ([key[0] for key in keys], [key[1] for key in keys]),
        binary=True,
    ).fetchall()
    return {(row[0], row[1]): Known(*(*row[2:-1], set(row[-1]))) for row in found}


def insert(connection: Connection[Any], schema: str, fresh: Any) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {schema}.message ({COLUMNS}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(TYPES)
        for row in fresh:
            copy.write_row(values(row))


def values(row: Row) -> tuple[Any, ...]:
    fields = row.fields
    text_key = fields.get("text_key")
    return (
        row.workspace_id,
        row.message_id,
        row.conversation_id,
        row.author_id,
        row.message_key,
        row.sent_at,
        fields["precision"],
        fields["zone"],
        row.kind,
        str(row.text),
        None if text_key is None else UUID(text_key),
        fields.get("reply_to"),
        fields.get("thread"),
        row.edited_at,
        json(fields.get("reactions")),
        json(fields.get("attachments")),
        json(fields.get("extra")),
        row.version,
        row.upload_ids,
        row.position,
    )


def json(value: Any) -> Jsonb | None:
    """Wrapped: COPY would take a string of JSON for a JSON string."""
    return None if value is None else Jsonb(value, dumps=orjson.dumps)


def update(connection: Connection[Any], schema: str, changes: Changes) -> None:
    edited = [values(row) for row in changes.edited.values()]
    if edited:
        names = [name for name in COLUMNS.split(", ") if name not in {"workspace_id", "message_id"}]
        sets = ", ".join(f"{name} = %s" for name in names)
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {schema}.message SET {sets}, vanished_in = NULL "
                "WHERE workspace_id = %s AND message_id = %s",
                [(*row[2:], row[0], row[1]) for row in edited],
            )
    seen = list(changes.seen.values())
    if seen:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {schema}.message SET upload_ids = %s, version = %s, vanished_in = NULL "
                "WHERE workspace_id = %s AND message_id = %s",
                [(k.upload_ids, k.version, k.workspace_id, k.message_id) for k in seen],
            )


def add_versions(connection: Connection[Any], schema: str, changes: Changes) -> None:
    if not changes.versions:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {schema}.message_version VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (v.workspace_id, v.message_id, v.version, str(v.text), v.superseded_at, v.position)
                for v in changes.versions
            ],
        )


def add_outcomes(connection: Connection[Any], schema: str, changes: Changes) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            INSERT INTO {schema}.upload_outcome AS o
                (workspace_id, upload_id, fresh, known, edited) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (upload_id) DO UPDATE SET fresh = o.fresh + excluded.fresh,
                known = o.known + excluded.known, edited = o.edited + excluded.edited
            """,
            [
                (outcome.workspace_id, upload, outcome.fresh, outcome.known, outcome.edited)
                for upload, outcome in changes.outcomes.items()
            ],
        )
        cursor.executemany(
            f"""
            INSERT INTO {schema}.upload_span AS s
                (upload_id, conversation_id, first_at, last_at, known) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (upload_id, conversation_id) DO UPDATE SET
                first_at = least(s.first_at, excluded.first_at),
                last_at = greatest(s.last_at, excluded.last_at), known = s.known + excluded.known
            """,
            [
                (upload, conversation, span.first_at, span.last_at, span.known)
                for (upload, conversation), span in changes.spans.items()
            ],
        )
        cursor.executemany(
            f"""
            INSERT INTO {schema}.message_total AS t (workspace_id, messages, texts)
            VALUES (%s, %s, %s)
            ON CONFLICT (workspace_id) DO UPDATE SET
                messages = t.messages + excluded.messages, texts = t.texts + excluded.texts
            """,
            [
                (workspace, total.messages, total.texts)
                for workspace, total in changes.totals.items()
            ],
        )


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
              AND m.conversation_id = s.conversation_id
              AND m.sent_at BETWEEN s.first_at AND s.last_at
              AND m.vanished_in IS NULL AND NOT m.upload_ids @> ARRAY[%(upload)s]
              AND NOT starts_with(m.message_key, %(erased)s)
            RETURNING 1
        )
        UPDATE {schema}.upload_outcome SET vanished = vanished + (SELECT count(*) FROM vanished)
        WHERE upload_id = %(upload)s
        """,
        {"upload": upload_id, "position": position, "erased": ERASED_KEY},
    )
