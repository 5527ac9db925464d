"""Recorded vectors become rows that can be searched by meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import Connection

from domain.transcript import IDS_PER_POSITION, Transcript, TranscriptEmbedding
from projections.contract import RecordedEvent
from projections.vectors import schema as ddl
from projections.vectors.binary import copy_rows, unpack

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
    code_version = 2
    topics = frozenset({Transcript.Recorded.TOPIC, TranscriptEmbedding.Recorded.TOPIC})
    frames = frozenset({Transcript.Recorded.TOPIC})  # only how many texts are to come

    def __init__(self, *, segment_rows: int = ddl.SEGMENT_ROWS) -> None:
        self._segment_rows = segment_rows

    def tables(self, schema: str) -> str:
        return ddl.tables(schema)

    def indexes(self, schema: str) -> str:
        """The graphs are built by `maintain`, a segment at a time."""
        return f"CREATE INDEX ON {schema}.text_vector (position);"

    def views(self, schema: str) -> Mapping[str, str]:
        return ddl.views(schema)

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        awaiting: list[tuple[UUID, UUID, int, int, int]] = []
        arrived: list[tuple[UUID, int]] = []
        vectors: list[Vector] = []
        for recorded in events:
            event = recorded.event
            if recorded.workspace_id is None:
                raise ValueError(f"the event at position {recorded.position} names no workspace")
            match event:
                case Transcript.Recorded():
                    upload = UUID(event.upload_id)
                    awaiting.append(
                        (
                            recorded.workspace_id,
                            upload,
                            event.batch,
                            event.texts,
                            recorded.position,
                        )
                    )
                case TranscriptEmbedding.Recorded():
                    arrived.append((UUID(event.upload_id), event.batch))
                    vectors.extend(read(recorded, recorded.workspace_id))
                case other:
                    raise TypeError(f"vectors cannot digest {type(other).__name__}")
        if awaiting:
            connection.execute(AWAIT.format(schema=schema), columns(awaiting))
        if arrived:
            connection.execute(ARRIVED.format(schema=schema), columns(arrived))
        self._write(connection, schema, vectors)

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
