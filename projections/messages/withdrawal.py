"""
An upload is withdrawn: what is left is what the other uploads say.

Each message is what the remaining sightings make of it, in the order in which they came; it keeps
its id, by which links and searches know it. What other uploads were found to bring when they were
read stays said of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import namedtuple_row

from domain.transcript import IDS_PER_POSITION
from projections.contract import RecordedEvent
from projections.messages.fold import EPOCH, fold
from projections.messages.records import Row
from projections.messages.recounting import count_again
from projections.messages.sightings import Origin, content_of, digest_of, jsonb
from projections.messages.vanishing import mark_again
from projections.messages.writing import add_versions, rewrite

CHUNK = 2_000  # messages that are decided anew at a time
OWN = f"""
own AS (
    SELECT m.workspace_id, m.message_id FROM {{schema}}.transcript AS t
    JOIN {{schema}}.message AS m ON m.workspace_id = %(workspace)s
        AND m.message_id >= t.position * {IDS_PER_POSITION}
        AND m.message_id < (t.position + 1) * {IDS_PER_POSITION}
    WHERE t.upload_id = %(upload)s
    UNION
    SELECT workspace_id, message_id FROM {{schema}}.sighting WHERE upload_id = %(upload)s
)
"""
DELETE = f"""
WITH {OWN}, gone AS (
    DELETE FROM {{schema}}.message AS m USING own
    WHERE m.workspace_id = own.workspace_id AND m.message_id = own.message_id
      AND m.upload_ids = ARRAY[%(upload)s]
    RETURNING m.workspace_id, m.message_id, m.text_key
), noted AS (
    INSERT INTO {{schema}}.removed_message (workspace_id, message_id, position)
    SELECT workspace_id, message_id, %(position)s FROM gone
), versions AS (
    DELETE FROM {{schema}}.message_version AS v USING gone
    WHERE v.workspace_id = gone.workspace_id AND v.message_id = gone.message_id
), sightings AS (
    DELETE FROM {{schema}}.sighting AS g USING gone
    WHERE g.workspace_id = gone.workspace_id AND g.message_id = gone.message_id
)
UPDATE {{schema}}.message_total
SET messages = messages - (SELECT count(*) FROM gone),
    texts = texts - (SELECT count(text_key) FROM gone)
WHERE workspace_id = %(workspace)s
"""
MIXED = f"""
WITH {OWN}
SELECT m.message_id FROM own JOIN {{schema}}.message AS m USING (workspace_id, message_id)
WHERE m.is_mixed AND m.upload_ids @> ARRAY[%(upload)s] ORDER BY m.message_id
"""
# Its sightings all say the same: nothing but where it was seen changes.
FORGET = f"""
WITH {OWN}
UPDATE {{schema}}.message AS m
SET upload_ids = array_remove(m.upload_ids, %(upload)s),
    first_place = CASE WHEN m.upload_ids[1] <> %(upload)s THEN m.first_place ELSE (
        SELECT min(place) FROM {{schema}}.sighting AS g
        WHERE g.workspace_id = m.workspace_id AND g.message_id = m.message_id
          AND g.upload_id <> %(upload)s
    ) END
FROM own
WHERE m.workspace_id = own.workspace_id AND m.message_id = own.message_id AND NOT m.is_mixed
  AND m.upload_ids @> ARRAY[%(upload)s]
"""
SIGHTINGS = """
SELECT g.workspace_id, g.message_id, g.place, g.upload_id, m.conversation_id,
       coalesce(g.content, first.content) AS content, m.text_key IS NOT NULL AS has_text
FROM {schema}.message AS m
JOIN {schema}.sighting AS g USING (workspace_id, message_id)
JOIN {schema}.sighting AS first
    ON first.workspace_id = m.workspace_id AND first.message_id = m.message_id
   AND first.place = m.first_place
WHERE m.workspace_id = %(workspace)s AND m.message_id = ANY(%(ids)s)
  AND g.upload_id <> %(upload)s
ORDER BY g.message_id, g.place
"""
REST = (
    "DELETE FROM {schema}.sighting WHERE upload_id = %(upload)s",
    "DELETE FROM {schema}.upload_outcome WHERE upload_id = %(upload)s",
    "DELETE FROM {schema}.conversation_alias WHERE upload_id = %(upload)s",
    "DELETE FROM {schema}.upload_span WHERE upload_id = %(upload)s",
    "DELETE FROM {schema}.transcript WHERE upload_id = %(upload)s",
)


def add_transcripts(
    connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {schema}.transcript (upload_id, position) VALUES (%s, %s)",
            [(UUID(recorded.event.upload_id), recorded.position) for recorded in events],
        )


def withdraw(connection: Connection[Any], schema: str, recorded: RecordedEvent) -> None:
    upload_id = recorded.event.originator_id
    values = {
        "upload": upload_id,
        "workspace": recorded.workspace_id,
        "position": recorded.position,
    }

    def run(statement: str) -> list[Any]:
        cursor = connection.execute(statement.format(schema=schema), values)
        return cursor.fetchall() if cursor.description else []

    run("INSERT INTO {schema}.withdrawn_upload (upload_id) VALUES (%(upload)s)")
    run(DELETE)
    mixed = [row[0] for row in run(MIXED)]
    run(FORGET)
    for start in range(0, len(mixed), CHUNK):
        decide_again(connection, schema, recorded, mixed[start : start + CHUNK])
    mark_again(connection, schema, upload_id, recorded.position)
    count_again(connection, schema, upload_id)
    for statement in REST:
        run(statement)


def decide_again(
    connection: Connection[Any], schema: str, recorded: RecordedEvent, ids: Sequence[int]
) -> None:
    """Messages of which the withdrawn upload and others say different things."""
    values = {
        "upload": recorded.event.originator_id,
        "workspace": recorded.workspace_id,
        "ids": list(ids),
    }
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        found: list[Any] = cursor.execute(SIGHTINGS.format(schema=schema), values).fetchall()
    had_text = {said.message_id: said.has_text for said in found}
    told = [(said.place, row_of(said)) for said in found]
    rewrite_sightings(connection, schema, told)
    changes = fold((row for _, row in told), {})
    for row in changes.fresh.values():
        row.position = recorded.position
    rewrite(connection, schema, changes.fresh.values())
    connection.execute(
        f"DELETE FROM {schema}.message_version WHERE workspace_id = %(workspace)s "
        "AND message_id = ANY(%(ids)s)".encode(),
        values,
    )
    add_versions(connection, schema, changes)
    gained = sum(row.has_text - had_text[row.message_id] for row in changes.fresh.values())
    connection.execute(
        f"UPDATE {schema}.message_total SET texts = texts + %s WHERE workspace_id = %s".encode(),
        (gained, recorded.workspace_id),
    )


def row_of(said: Any) -> Row:
    content = said.content
    fields, author = content["fields"], content["author"]
    row = Row(
        workspace_id=said.workspace_id,
        message_id=said.message_id,
        conversation_id=said.conversation_id,
        author_id=None if author is None else UUID(author),
        message_key=fields["key"],
        sent_at=EPOCH + timedelta(microseconds=content["at"]),
        kind=content["kind"],
        fields=fields,
        text=fields["text"],
        version=1,
        upload_ids=[said.upload_id],
        position=said.place // IDS_PER_POSITION,
        origin=Origin(0, said.place),
    )
    row.origin.digest, row.origin.first = digest_of(row), row
    return row


def rewrite_sightings(
    connection: Connection[Any], schema: str, told: Sequence[tuple[int, Row]]
) -> None:
    """The first of each message may be another one now: what is compared with it, too."""
    values = []
    for _, pairs in groupby(told, key=lambda pair: pair[1].message_id):
        sightings = list(pairs)
        first = sightings[0][1].origin.digest
        is_mixed = any(row.origin.digest != first for _, row in sightings)
        for number, (place, row) in enumerate(sightings):
            is_kept = is_mixed and (number == 0 or row.origin.digest != first)
            content = jsonb(content_of(row)) if is_kept else None
            values.append((content, row.workspace_id, row.message_id, place))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {schema}.sighting SET content = %s "
            "WHERE workspace_id = %s AND message_id = %s AND place = %s",
            values,
        )
