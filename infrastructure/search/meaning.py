"""The meaning side: nearest vectors, from FAISS where it has come far enough, else pgvector."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

MAX_SCANNED = 100_000  # vectors of one segment
# One ordered scan a segment: graphs where they are built, whole scans of the short tails.
NEAREST = """
SELECT vector_id, embedding::halfvec({dimensions}) <#> %(query)s::halfvec({dimensions}) AS distance
FROM read.embedding
WHERE workspace_id = %(workspace)s AND segment = ANY(%(segments)s)
ORDER BY distance LIMIT %(limit)s
"""
SEGMENTS = "SELECT segment FROM read.vector_segment WHERE model = %s"
MESSAGES = """
SELECT t.vector_id, t.text_key, m.message_id
FROM read.text_vector AS t
CROSS JOIN LATERAL (
    SELECT message_id FROM read.message
    WHERE workspace_id = t.workspace_id AND text_key = t.text_key
    ORDER BY sent_at DESC, message_id DESC LIMIT 1
) AS m
WHERE t.workspace_id = %(workspace)s AND t.model = %(model)s AND t.vector_id = ANY(%(ids)s)
"""


class MeaningHit(NamedTuple):
    message_id: int  # the latest message with this text
    text_key: UUID
    cosine: float


class Nearest(NamedTuple):
    ids: list[int]
    cosines: list[float]
    engine: str
    position: int | None = None  # that an index in memory had reached


class Accelerator(Protocol):
    """An in-memory index that follows the vectors read model."""

    def nearest(
        self,
        *,
        workspace_id: UUID,
        model: str,
        query: NDArray[np.float32],
        limit: int,
        position: int,
    ) -> Nearest | None:
        """None if it has not reached the position: then PostgreSQL answers."""
        ...


def nearest_by_pgvector(
    connection: Connection[Any],
    *,
    workspace_id: UUID,
    model: str,
    query: NDArray[np.float32],
    limit: int,
) -> Nearest:
    """
    Args:
        query: shape (dimensions,), L2 norm 1.
    """
    segments = [row[0] for row in connection.execute(SEGMENTS, (model,))]
    with connection.transaction():
        # The filter is on the workspace: keep looking until enough of its vectors are found.
        connection.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        # A segment to its end if need be: else pgvector gives up before its last rows.
        connection.execute(f"SET LOCAL hnsw.max_scan_tuples = {MAX_SCANNED}")
        connection.execute("SET LOCAL hnsw.scan_mem_multiplier = 8")
        connection.execute(f"SET LOCAL hnsw.ef_search = {min(1000, max(40, limit))}")
        rows = connection.execute(
            NEAREST.format(dimensions=len(query)),
            {
                "query": "[" + ",".join(map(repr, query.tolist())) + "]",
                "workspace": workspace_id,
                "segments": segments,
                "limit": limit,
            },
        ).fetchall()
    return Nearest([row[0] for row in rows], [-float(row[1]) for row in rows], "pgvector")


def messages(
    connection: Connection[Any], *, workspace_id: UUID, model: str, nearest: Nearest
) -> list[MeaningHit]:
    """The messages behind the vectors, nearest first; one for each text."""
    rows = connection.execute(
        MESSAGES, {"workspace": workspace_id, "model": model, "ids": nearest.ids}
    ).fetchall()
    by_vector = {row[0]: row[1:] for row in rows}
    hits = []
    for vector_id, cosine in zip(nearest.ids, nearest.cosines, strict=True):
        if vector_id in by_vector:
            text_key, message_id = by_vector[vector_id]
            hits.append(MeaningHit(message_id, text_key, cosine))
    return hits
