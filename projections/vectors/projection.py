"""Recorded vectors become rows that can be searched by meaning."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import Connection

from domain.transcript import IDS_PER_POSITION, Transcript, TranscriptEmbedding
from domain.upload import Upload
from projections.contract import RecordedEvent
from projections.vectors import schema as ddl
from projections.vectors.binary import copy_rows, unpack
from projections.vectors.use import USE, texts_of, used_among, withdraw
from projections.withdrawals import withdrawn_among

AWAIT = """
INSERT INTO {schema}.coverage (workspace_id, upload_id, batch, texts, position)
SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::int4[], %b::int4[], %b::int8[])
"""
ARRIVED = """
DELETE FROM {schema}.coverage USING unnest(%b::uuid[], %b::int4[]) AS done (upload_id, batch)
WHERE coverage.upload_id = done.upload_id AND coverage.batch = done.batch
"""
KNOWN = """
SELECT workspace_id, model, text_key
FROM unnest(%b::uuid[], %b::text[], %b::uuid[]) AS wanted (workspace_id, model, text_key)
JOIN {schema}.text_vector USING (workspace_id, model, text_key)
"""
INSERT = """
INSERT INTO {schema}.text_vector (workspace_id, model, text_key, vector_id, segment, position)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::uuid[], %b::int8[], %b::int4[], %b::int8[])
"""
TAIL = """
SELECT segment, rows FROM {schema}.segment WHERE model = %s ORDER BY segment DESC LIMIT 1
"""
UNINDEXED = """
SELECT segment, dimensions FROM {schema}.segment AS s
WHERE NOT is_indexed
  AND EXISTS (SELECT FROM {schema}.segment AS l WHERE l.model = s.model AND l.segment > s.segment)
ORDER BY segment LIMIT 2
"""


@dataclass(frozen=True, slots=True)
class Vector:
    workspace_id: UUID
    model: str
    text_key: UUID
    vector_id: int
    position: int
    values: Any  # float16, shape (dimensions,)


class VectorsReadModel:
    name = "vectors"
    code_version = 4
    topics = frozenset(
        {Transcript.Recorded.TOPIC, TranscriptEmbedding.Recorded.TOPIC, Upload.Withdrawn.TOPIC}
    )

    def __init__(self, *, segment_rows: int = ddl.SEGMENT_ROWS) -> None:
        self._segment_rows = segment_rows

    def tables(self, schema: str) -> str:
        return ddl.tables(schema)

    def indexes(self, schema: str) -> str:
        """The graphs are built by `maintain`, a segment at a time."""
        return f"""
        CREATE INDEX ON {schema}.text_vector (position);
        CREATE INDEX ON {schema}.removed_vector (model, position);
        """

    def views(self, schema: str) -> Mapping[str, str]:
        return ddl.views(schema)

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        pending: list[RecordedEvent] = []
        for recorded in events:
            if isinstance(recorded.event, Upload.Withdrawn):
                self._take(connection, schema, pending)
                pending = []
                withdraw(connection, schema, recorded)
            else:
                pending.append(recorded)
        self._take(connection, schema, pending)

    def _take(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        awaiting: list[tuple[UUID, UUID, int, int, int]] = []
        arrived: list[tuple[UUID, int]] = []
        used: dict[tuple[UUID, UUID, UUID], None] = {}  # workspace, text key, upload
        vectors: list[Vector] = []
        gone = withdrawn_among(connection, schema, {UUID(r.event.upload_id) for r in events})
        for recorded in events:
            event, workspace = recorded.event, recorded.workspace_id
            if workspace is None:
                raise ValueError(f"the event at position {recorded.position} names no workspace")
            match event:
                case Transcript.Recorded():
                    upload = UUID(event.upload_id)
                    if upload not in gone:
                        place = (event.batch, event.texts, recorded.position)
                        awaiting.append((workspace, upload, *place))
                        used |= dict.fromkeys((workspace, key, upload) for key in texts_of(event))
                case TranscriptEmbedding.Recorded():
                    arrived.append((UUID(event.upload_id), event.batch))
                    vectors.extend(read(recorded, workspace))
                case other:
                    raise TypeError(f"vectors cannot digest {type(other).__name__}")
        if awaiting:
            connection.execute(AWAIT.format(schema=schema), columns(awaiting))
        if used:
            connection.execute(USE.format(schema=schema), columns(list(used)))
        if arrived:
            connection.execute(ARRIVED.format(schema=schema), columns(arrived))
        self._write(connection, schema, wanted(connection, schema, vectors, gone))

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        """Build the graph of one full segment."""
        found = connection.execute(UNINDEXED.format(schema=schema)).fetchall()
        if not found:
            return False
        segment, dimensions = found[0]
        with connection.transaction():
            connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
            connection.execute(ddl.index_segment(schema, segment, dimensions))
            # Without statistics the planner takes every workspace for a tiny one, which it
            # scans whole, and leaves the graph alone.
            connection.execute(f"ANALYZE {schema}.embedding_{segment} (segment, workspace_id)")
            connection.execute(
                f"UPDATE {schema}.segment SET is_indexed = true WHERE segment = %s", (segment,)
            )
        return len(found) > 1

    def _write(self, connection: Connection[Any], schema: str, vectors: Sequence[Vector]) -> None:
        if not vectors:
            return
        keys = [(v.workspace_id, v.model, v.text_key) for v in vectors]
        known = set(connection.execute(KNOWN.format(schema=schema), columns(keys), binary=True))
        by_model: dict[str, list[Vector]] = {}
        for key, vector in zip(keys, vectors, strict=True):
            if key not in known:
                known.add(key)  # the first one of a page counts
                by_model.setdefault(vector.model, []).append(vector)
        for model, fresh in by_model.items():
            done = 0
            while done < len(fresh):
                segment, room = self._tail(connection, schema, model, len(fresh[done].values))
                store(connection, schema, segment, fresh[done : done + room])
                done += room

    def _tail(
        self, connection: Connection[Any], schema: str, model: str, dimensions: int
    ) -> tuple[int, int]:
        """The segment that takes new vectors of this model, and how many more it takes."""
        row = connection.execute(TAIL.format(schema=schema), (model,)).fetchone()
        if row is not None and row[1] < self._segment_rows:
            return row[0], self._segment_rows - row[1]
        inserted = connection.execute(
            f"""
            INSERT INTO {schema}.segment (segment, model, dimensions)
            SELECT coalesce(max(segment), 0) + 1, %s, %s FROM {schema}.segment RETURNING segment
            """,
            (model, dimensions),
        ).fetchone()
        if inserted is None:
            raise RuntimeError("PostgreSQL returned no segment")
        connection.execute(ddl.add_segment(schema, inserted[0]))
        return inserted[0], self._segment_rows


def read(recorded: RecordedEvent, workspace_id: UUID) -> list[Vector]:
    """The vectors of one event. Those of an erased person are gone; the others keep their ids."""
    event = recorded.event
    vectors = []
    first_id = recorded.position * IDS_PER_POSITION
    for subject, count in event.counts.items():
        packed = event.vectors.get(subject, b"")
        for number, row in enumerate(unpack(packed, event.dimensions)):
            key = UUID(bytes=row["text_key"].tobytes())
            vectors.append(
                Vector(
                    workspace_id,
                    event.model,
                    key,
                    first_id + number,
                    recorded.position,
                    row["vector"],
                )
            )
        first_id += count
    return vectors


def wanted(
    connection: Connection[Any], schema: str, vectors: list[Vector], gone: Collection[UUID]
) -> list[Vector]:
    """Without those that only withdrawn uploads have the text of: they come too late."""
    if not gone:
        return vectors
    keys = {(vector.workspace_id, vector.text_key) for vector in vectors}
    used = used_among(connection, schema, keys)
    return [vector for vector in vectors if (vector.workspace_id, vector.text_key) in used]


def store(
    connection: Connection[Any], schema: str, segment: int, vectors: Sequence[Vector]
) -> None:
    rows = [
        (v.workspace_id, v.model, v.text_key, v.vector_id, segment, v.position) for v in vectors
    ]
    connection.execute(INSERT.format(schema=schema), columns(rows))
    data = copy_rows(
        segment,
        np.array([v.vector_id for v in vectors], dtype=np.int64),
        [v.workspace_id for v in vectors],
        np.stack([v.values for v in vectors]),
    )
    target = f"{schema}.embedding_{segment} (segment, vector_id, workspace_id, embedding)"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {target} FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(data)
    connection.execute(
        f"UPDATE {schema}.segment SET rows = rows + %s WHERE segment = %s",
        (len(vectors), segment),
    )


def columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else []
