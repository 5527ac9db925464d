"""Rows of the messages' tables, written many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.types.json import Jsonb

from domain.searchable import searchable
from projections.messages.fulltext import WORDS_FROM_CHARACTERS
from projections.messages.language import language_of
from projections.messages.records import Changes, Row

COLUMNS = (
    "workspace_id, message_id, conversation_id, author_id, message_key, sent_at, precision, zone, "
    "kind, text, text_key, reply_to, thread, edited_at, reactions, attachments, extra, version, "
    "upload_ids, position, digest, first_place, is_mixed, language, words_text"
)
TYPES = [
    "uuid", "int8", "uuid", "uuid", "text", "timestamptz", "text", "text", "text", "text", "uuid",
    "text", "text", "timestamptz", "jsonb", "jsonb", "jsonb", "int4", "uuid[]", "int8", "int8",
    "int8", "bool", "text", "text",
]  # fmt: skip

SPOKEN = ("message", "action")  # by people: the system speaks the phone's language


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
    text = str(row.text)
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
        text,
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
        row.origin.digest,
        row.origin.place,
        row.origin.is_mixed,
        language_of(text) if row.kind in SPOKEN else None,
        words_of(text),
    )


def words_of(text: str) -> str | None:
    """What full text takes words from. None: from the text as it is."""
    if text.isascii():
        return None
    # One character may become eighteen, and pairs are longer than what they are made of.
    return searchable(text[:WORDS_FROM_CHARACTERS])[:WORDS_FROM_CHARACTERS]


def json(value: Any) -> Jsonb | None:
    """Wrapped: COPY would take a string of JSON for a JSON string."""
    return None if value is None else Jsonb(value, dumps=orjson.dumps)


def update(connection: Connection[Any], schema: str, changes: Changes) -> None:
    rewrite(connection, schema, changes.edited.values())
    seen = list(changes.seen.values())
    if seen:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {schema}.message SET upload_ids = %s, version = %s, is_mixed = %s, "
                "vanished_in = NULL WHERE workspace_id = %s AND message_id = %s",
                [
                    (k.upload_ids, k.version, k.origin.is_mixed, k.workspace_id, k.message_id)
                    for k in seen
                ],
            )
    better = [known for known in seen if known.told_better_at is not None]
    if better:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {schema}.message SET sent_at = %s, precision = %s, position = %s "
                "WHERE workspace_id = %s AND message_id = %s",
                [
                    (k.sent_at, k.precision, k.told_better_at, k.workspace_id, k.message_id)
                    for k in better
                ],
            )


def rewrite(connection: Connection[Any], schema: str, rows: Iterable[Row]) -> None:
    """Everything about messages but their ids."""
    names = [name for name in COLUMNS.split(", ") if name not in {"workspace_id", "message_id"}]
    sets = ", ".join(f"{name} = %s" for name in names)
    found = [values(row) for row in rows]
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {schema}.message SET {sets}, vanished_in = NULL "
            "WHERE workspace_id = %s AND message_id = %s",
            [(*row[2:], row[0], row[1]) for row in found],
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
