"""One row an upload, and a log line for each thing that happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from projections.contract import RecordedEvent
from projections.uploads.fold import UploadState, create, fold, upload_of
from projections.uploads.words import line

COLUMNS = [field.name for field in fields(UploadState)]
KEY = ("workspace_id", "upload_id")
SELECT = f"SELECT {', '.join(COLUMNS)} FROM {{schema}}.upload WHERE upload_id = ANY(%b::uuid[])"
UPSERT = f"""
INSERT INTO {{schema}}.upload ({", ".join(COLUMNS)})
VALUES ({", ".join(f"%({column})s" for column in COLUMNS)})
ON CONFLICT ({", ".join(KEY)}) DO UPDATE SET
{", ".join(f"{column} = excluded.{column}" for column in COLUMNS if column not in KEY)}
"""
LOG = """
INSERT INTO {schema}.upload_log (workspace_id, upload_id, position, at, level, text)
SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::int8[], %b::timestamptz[], %b::text[], %b::text[])
"""


class UploadsReadModel:
    name = "uploads"
    code_version = 5
    topics = frozenset(
        event.TOPIC
        for event in (
            Upload.Received,
            Upload.ReceivedAgain,
            Upload.Inspected,
            Upload.HeldBack,
            Upload.InspectionRequested,
            Upload.Confirmed,
            Upload.Rejected,
            Upload.ReadingStarted,
            Upload.Read,
            Upload.EmbeddingFinished,
            Upload.Failed,
            Upload.RetryRequested,
            Upload.Withdrawn,
            RefusedUpload.Refused,
            Transcript.Recorded,
            TranscriptEmbedding.Recorded,
        )
    )
    frames = frozenset({Transcript.Recorded.TOPIC, TranscriptEmbedding.Recorded.TOPIC})

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.upload (   -- its fields are explained in fold.py
            workspace_id uuid NOT NULL,
            upload_id uuid NOT NULL,
            filename text NOT NULL,
            size bigint NOT NULL,
            received_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            position bigint NOT NULL,
            sha256 text,
            reached text NOT NULL,
            has_failed boolean NOT NULL,
            format text,
            conversations int,
            messages int,
            system int,
            authors int,
            first_at timestamptz,
            last_at timestamptz,
            is_complete boolean,
            warnings jsonb NOT NULL,
            questions text[] NOT NULL,
            batches int,
            batches_recorded int NOT NULL,
            messages_recorded int NOT NULL,
            texts int NOT NULL,
            texts_embedded int NOT NULL,
            model text,
            attempts int NOT NULL,
            error text,
            PRIMARY KEY (workspace_id, upload_id)
        ) WITH (fillfactor = 70);        -- rows change with every batch
        CREATE UNIQUE INDEX upload_upload_id ON {schema}.upload (upload_id);
        CREATE TABLE {schema}.upload_log (
            workspace_id uuid NOT NULL,
            upload_id uuid NOT NULL,
            position bigint NOT NULL,
            at timestamptz NOT NULL,
            level text NOT NULL,             -- info, warning, error
            text text NOT NULL,
            PRIMARY KEY (workspace_id, upload_id, position)
        );
        """

    def indexes(self, schema: str) -> str:
        return f"""
        CREATE INDEX ON {schema}.upload (workspace_id, received_at, upload_id);
        CREATE INDEX ON {schema}.upload (workspace_id, position);
        """

    def views(self, schema: str) -> Mapping[str, str]:
        return {
            "upload": f"""
                SELECT *, CASE WHEN has_failed THEN 'failed' ELSE reached END AS stage
                FROM {schema}.upload
            """,
            "upload_log_line": f"SELECT * FROM {schema}.upload_log",
        }

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        states = self._load(connection, schema, {upload_of(r.event) for r in events})
        lines = []
        for recorded in events:
            upload_id, workspace_id = upload_of(recorded.event), recorded.workspace_id
            if workspace_id is None:
                raise ValueError(f"the event at position {recorded.position} names no workspace")
            if isinstance(recorded.event, Upload.Received | RefusedUpload.Refused):
                states[upload_id] = create(recorded, workspace_id)
            else:
                fold(states[upload_id], recorded)
            said = line(recorded.event)
            if said is not None:
                lines.append(
                    (workspace_id, upload_id, recorded.position, recorded.recorded_at, *said)
                )
        with connection.cursor() as cursor:
            cursor.executemany(UPSERT.format(schema=schema), [row(s) for s in states.values()])
            if lines:
                columns = [list(column) for column in zip(*lines, strict=True)]
                cursor.execute(LOG.format(schema=schema), columns)

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False

    def _load(
        self, connection: Connection[Any], schema: str, uploads: set[UUID]
    ) -> dict[UUID, UploadState]:
        with connection.cursor(row_factory=class_row(UploadState)) as cursor:
            found = cursor.execute(SELECT.format(schema=schema), (list(uploads),))
            return {state.upload_id: state for state in found}


def row(state: UploadState) -> dict[str, Any]:
    return asdict(state) | {"warnings": Jsonb(state.warnings)}
