"""Transcripts become messages; what was seen before is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.transcript import Transcript
from domain.upload import Upload
from projections.contract import RecordedEvent
from projections.messages import schema as ddl
from projections.messages.aliases import add_aliases
from projections.messages.fold import fold, rows
from projections.messages.records import Changes, Key, Known
from projections.messages.recounting import count_shifted
from projections.messages.sightings import Origin, add_sightings, keep_first
from projections.messages.totals import add_totals
from projections.messages.vanishing import mark_vanished
from projections.messages.withdrawal import add_transcripts, withdraw
from projections.messages.writing import add_versions, insert, update
from projections.withdrawals import withdrawn_among


class MessagesReadModel:
    name = "messages"
    code_version = 9
    topics = frozenset(
        {
            Upload.ReadingStarted.TOPIC,
            Transcript.Recorded.TOPIC,
            Upload.Read.TOPIC,
            Upload.Withdrawn.TOPIC,
        }
    )

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
                case Upload.ReadingStarted():
                    add_aliases(connection, schema, recorded)
                case Upload.Read(originator_id=upload_id):
                    # Only now is it clear what the upload does not have.
                    self._write(connection, schema, pending)
                    pending = []
                    mark_vanished(connection, schema, upload_id, recorded.position)
                case Upload.Withdrawn():
                    self._write(connection, schema, pending)
                    pending = []
                    withdraw(connection, schema, recorded)
                case other:
                    raise TypeError(f"messages cannot digest {type(other).__name__}")
        self._write(connection, schema, pending)

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False

    def _write(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        # A worker may have recorded a batch just after the withdrawal.
        gone = withdrawn_among(connection, schema, {UUID(r.event.upload_id) for r in events})
        kept = [recorded for recorded in events if UUID(recorded.event.upload_id) not in gone]
        page = [row for recorded in kept for row in rows(recorded)]
        if not page:
            return
        add_transcripts(connection, schema, kept)
        stored = select_known(
            connection, schema, {(r.conversation_id, r.message_key) for r in page}
        )
        changes = fold(page, stored)
        keep_first(connection, schema, changes.mixed)
        add_sightings(connection, schema, changes.sightings)
        insert(connection, schema, changes.fresh.values())
        update(connection, schema, changes)
        add_versions(connection, schema, changes)
        add_outcomes(connection, schema, changes)
        add_totals(connection, schema, changes.totals)
        count_shifted(connection, schema, changes.totals)


def select_known(connection: Connection[Any], schema: str, keys: set[Key]) -> dict[Key, Known]:
    found = connection.execute(
        f"""
        SELECT conversation_id, message_key, workspace_id, message_id, author_id, sent_at, text,
               version, upload_ids, text_key IS NOT NULL, kind, precision, edited_at, digest,
               first_place, is_mixed,
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
    return {(row[0], row[1]): known(*row[2:]) for row in found}


def known(*values: Any) -> Known:
    workspace_id, message_id, author_id, sent_at, text, version, upload_ids = values[:7]
    has_text, kind, precision, edited_at, digest, place, is_mixed, superseded = values[7:]
    return Known(
        workspace_id=workspace_id,
        message_id=message_id,
        author_id=author_id,
        sent_at=sent_at,
        text=text,
        version=version,
        upload_ids=upload_ids,
        has_text=has_text,
        kind=kind,
        precision=precision,
        edited_at=edited_at,
        origin=Origin(digest, place, is_mixed),
        superseded=set(superseded),
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
                (upload_id, conversation_id, first_at, last_at, known, has_notices,
                 has_attachments, is_foreign) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (upload_id, conversation_id) DO UPDATE SET
                first_at = least(s.first_at, excluded.first_at),
                last_at = greatest(s.last_at, excluded.last_at), known = s.known + excluded.known,
                has_notices = s.has_notices OR excluded.has_notices,
                has_attachments = s.has_attachments OR excluded.has_attachments
            """,
            [
                (upload, conversation, *span.values)
                for (upload, conversation), span in changes.spans.items()
            ],
        )
