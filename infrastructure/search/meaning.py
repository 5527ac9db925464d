"""The meaning side: nearest vectors, from FAISS where it has come far enough, else pgvector."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from infrastructure.columns.text_vectors import TextVectors
from infrastructure.search.corpus import Background, Nearest

MAX_SCANNED = 100_000  # vectors of one segment
# One ordered scan a segment: graphs where they are built, whole scans of the short tails.
NEAREST = """
SELECT vector_id, embedding::halfvec({dimensions}) <#> %(query)s::halfvec({dimensions}) AS distance
FROM read.embedding
WHERE workspace_id = %(workspace)s AND segment = ANY(%(segments)s)
ORDER BY distance LIMIT %(limit)s
"""
# Few enough to be compared one by one, whichever graphs there are.
NEAREST_OF = """
SELECT e.vector_id, e.embedding::halfvec({dimensions}) <#> %(query)s::halfvec({dimensions}) AS far
FROM read.text_vector AS t JOIN read.embedding AS e USING (segment, vector_id)
WHERE t.workspace_id = %(workspace)s AND t.vector_id = ANY(%(allowed)s)
ORDER BY far, e.vector_id LIMIT %(limit)s
"""
# Keys of texts are as good as random, so the first ones are a fair sample.
SAMPLED = 400
BACKGROUND = """
SELECT -avg(e.embedding::halfvec({dimensions}) <#> %(query)s::halfvec({dimensions})), count(*)
FROM (
    SELECT segment, vector_id FROM read.text_vector
    WHERE workspace_id = %(workspace)s AND model = %(model)s AND vector_id < %(below)s
    ORDER BY text_key LIMIT %(sampled)s
) AS t JOIN read.embedding AS e USING (segment, vector_id)
"""
SEGMENTS = "SELECT segment FROM read.vector_segment WHERE model = %s"


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
        allowed: NDArray[np.int64] | None = None,
    ) -> Nearest | None:
        """
        None if it has not reached the position: then PostgreSQL answers.

        Args:
            allowed: only these vectors may be found, ascending; None: all may.
        """
        ...

    def vectors_of(
        self, ids: NDArray[np.int64], *, workspace_id: UUID, model: str
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
        """Vectors, a row each, and which of the ids are there; None: they are not to be had."""
        ...

    def texts_of(self, *, workspace_id: UUID, model: str) -> TextVectors | None:
        """Which vector belongs to which text; None: that is not to be had."""
        ...

    def background(
        self, query: NDArray[np.float32], *, workspace_id: UUID, model: str, below: int
    ) -> Background | None:
        """
        None: it is not known.

        Args:
            below: only vectors with lower ids count.
        """
        ...


def nearest_by_pgvector(
    connection: Connection[Any],
    *,
    workspace_id: UUID,
    model: str,
    query: NDArray[np.float32],
    limit: int,
    allowed: NDArray[np.int64] | None = None,
) -> Nearest:
    """
    Args:
        query: shape (dimensions,), L2 norm 1.
        allowed: only these vectors may be found; None: all may.
    """
    values = {
        "query": text_of(query),
        "workspace": workspace_id,
        "limit": limit,
    }
    if allowed is not None:
        values["allowed"] = allowed.tolist()
        statement = NEAREST_OF.format(dimensions=len(query))
        return nearest_of(connection.execute(statement, values).fetchall())
    values["segments"] = [row[0] for row in connection.execute(SEGMENTS, (model,))]
    with connection.transaction():
        # The filter is on the workspace: keep looking until enough of its vectors are found.
        connection.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        # A segment to its end if need be: else pgvector gives up before its last rows.
        connection.execute(f"SET LOCAL hnsw.max_scan_tuples = {MAX_SCANNED}")
        connection.execute("SET LOCAL hnsw.scan_mem_multiplier = 8")
        connection.execute(f"SET LOCAL hnsw.ef_search = {min(1000, max(40, limit))}")
        rows = connection.execute(NEAREST.format(dimensions=len(query)), values).fetchall()
    return nearest_of(rows)


def background_by_pgvector(
    connection: Connection[Any],
    *,
    workspace_id: UUID,
    model: str,
    query: NDArray[np.float32],
    below: int,
) -> Background:
    """Of a sample of the workspace. Args: below: only vectors with lower ids count."""
    values = {
        "query": text_of(query),
        "workspace": workspace_id,
        "model": model,
        "below": below,
        "sampled": SAMPLED,
    }
    statement = BACKGROUND.format(dimensions=len(query))
    cosine, vectors = connection.execute(statement, values).fetchone() or (None, 0)
    return Background(float(cosine or 0.0), int(vectors))


def text_of(query: NDArray[np.float32]) -> str:
    """As pgvector reads it."""
    return "[" + ",".join(map(repr, query.tolist())) + "]"


def nearest_of(rows: list[tuple[int, float]]) -> Nearest:
    return Nearest([row[0] for row in rows], [-float(row[1]) for row in rows], "pgvector")
