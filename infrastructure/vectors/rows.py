"""What FAISS asks of the vectors read model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The position and what is in the tables at it.
ONE_VIEW = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
POSITION = """
SELECT position, version FROM projection.projection
WHERE name = 'vectors' AND status IN ('live', 'halted')
"""
NEW = """
SELECT e.vector_id, e.workspace_id, e.embedding, t.text_key
FROM read.text_vector AS t JOIN read.embedding AS e USING (segment, vector_id)
WHERE t.model = %s AND t.vector_id > %s AND t.position <= %s
ORDER BY t.vector_id LIMIT %s
"""
TEXTS = """
SELECT vector_id, workspace_id, text_key FROM read.text_vector
WHERE model = %s AND vector_id > %s AND vector_id <= %s
ORDER BY vector_id LIMIT %s
"""
COUNT = "SELECT count(*) FROM read.text_vector WHERE model = %s AND vector_id <= %s"
REMOVED = """
SELECT vector_id, workspace_id FROM read.removed_vector
WHERE model = %s AND position > %s AND position <= %s
"""


def decode(halfvecs: Sequence[bytes], dimensions: int) -> NDArray[np.float32]:
    """From PostgreSQL's binary form. Returns shape (len(halfvecs), dimensions)."""
    wire = np.dtype([("dimensions", ">i2"), ("unused", ">i2"), ("values", ">f2", (dimensions,))])
    rows = np.frombuffer(b"".join(halfvecs), dtype=wire)
    return np.ascontiguousarray(rows["values"], dtype=np.float32)
