"""
What each upload has of the messages that several have: enough to tell any of them withdrawn.

A message that one upload alone has is its own only sighting. Of the others the table keeps every
further sighting; what it says only where it says otherwise than the first one, whose content is
kept then, too. So an export that repeats an archive costs a short row a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.types.json import Jsonb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
COLUMNS = "workspace_id, message_id, place, upload_id, content"
TYPES = ["uuid", "int8", "int8", "uuid", "jsonb"]
FIRST = """
SELECT m.message_id, m.author_id, m.sent_at, m.kind, m.message_key, m.text, m.text_key,
       m.precision, m.zone, m.reply_to, m.thread, m.edited_at, m.reactions, m.attachments, m.extra,
       ARRAY(
           SELECT jsonb_build_array(v.text, v.superseded_at) FROM {schema}.message_version AS v
           WHERE v.workspace_id = m.workspace_id AND v.message_id = m.message_id
           ORDER BY v.version
       )
FROM unnest(%b::uuid[], %b::int8[]) AS wanted (workspace_id, message_id)
JOIN {schema}.message AS m USING (workspace_id, message_id)
"""
# The first one is there already, without content, if an earlier first one was withdrawn.
KEEP_FIRST = f"""
INSERT INTO {{schema}}.sighting ({COLUMNS}) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, message_id, place) DO UPDATE SET content = excluded.content
"""
Content = Mapping[str, Any]  # author, at (microseconds since 1970), kind, fields


class Said(Protocol):
    """A message as one transcript has it."""

    @property
    def author_id(self) -> UUID | None: ...
    @property
    def sent_at(self) -> datetime: ...
    @property
    def kind(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, Any]: ...


@dataclass(slots=True)
class Origin:
    """The first sighting of a message, which is in no upload that was withdrawn."""

    digest: int  # of its content
    place: int  # the message id that it gave, or would have given
    is_mixed: bool = False  # another sighting says otherwise
    first: Said | None = None  # if it came with this very page


@dataclass(frozen=True, slots=True)
class Sighting:
    workspace_id: UUID
    message_id: int
    place: int  # position of the event x 1,024 + ordinal
    upload_id: UUID
    said: Said | None  # None: the same as the first one


@dataclass(frozen=True, slots=True)
class Mixed:
    """A message whose first sighting has to be kept, before another one changes it."""

    workspace_id: UUID
    message_id: int
    upload_id: UUID
    origin: Origin


def content_of(said: Said) -> Content:
    return {
        "author": None if said.author_id is None else str(said.author_id),
        "at": (said.sent_at - EPOCH) // MICROSECOND,
        "kind": said.kind,
        "fields": dict(said.fields),
    }


def digest_of(said: Said) -> int:
    """64 bits: two texts that differ have the same one in one of 10^19 cases."""
    author = None if said.author_id is None else said.author_id.bytes.hex()
    at = (said.sent_at - EPOCH) // MICROSECOND
    content = orjson.dumps([author, at, said.kind, said.fields], option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(blake2b(content, digest_size=8).digest(), signed=True)


def keep_first(connection: Connection[Any], schema: str, mixed: Sequence[Mixed]) -> None:
    """Before the messages change. What came with this page is at hand, the others are read."""
    stored = [one for one in mixed if one.origin.first is None]
    found = read_first(connection, schema, stored) if stored else {}
    values = []
    for one in mixed:
        first = one.origin.first
        content = found[one.message_id] if first is None else content_of(first)
        place = one.origin.place
        values.append((one.workspace_id, one.message_id, place, one.upload_id, jsonb(content)))
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(KEEP_FIRST.format(schema=schema), values)


def read_first(
    connection: Connection[Any], schema: str, mixed: Sequence[Mixed]
) -> dict[int, Content]:
    """Of messages whose sightings all said the same until now: their rows are the first one."""
    keys = ([one.workspace_id for one in mixed], [one.message_id for one in mixed])
    rows = connection.execute(FIRST.format(schema=schema), keys)
    return {row[0]: content_from(row) for row in rows}


def content_from(row: Sequence[Any]) -> Content:
    _, author, sent_at, kind, key, text, text_key, precision, zone = row[:9]
    reply_to, thread, edited_at, reactions, attachments, extra, edits = row[9:]
    given = {
        "key": key,
        "text": text,
        "text_key": None if text_key is None else str(text_key),
        "precision": precision,
        "zone": zone,
        "reply_to": reply_to,
        "thread": thread,
        "edited_at": None if edited_at is None else iso(edited_at),
        "edits": [[old, at and iso(datetime.fromisoformat(at))] for old, at in edits] or None,
        "reactions": reactions,
        "attachments": attachments,
        "extra": extra,
    }
    return {
        "author": None if author is None else str(author),
        "at": (sent_at - EPOCH) // MICROSECOND,
        "kind": kind,
        "fields": {name: value for name, value in given.items() if value is not None},
    }


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def add_sightings(connection: Connection[Any], schema: str, sightings: Sequence[Sighting]) -> None:
    if not sightings:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {schema}.sighting ({COLUMNS}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(TYPES)
        for one in sightings:
            content = None if one.said is None else jsonb(content_of(one.said))
            row = (one.workspace_id, one.message_id, one.place, one.upload_id, content)
            copy.write_row(row)


def jsonb(content: Content) -> Jsonb:
    return Jsonb(content, dumps=orjson.dumps)
