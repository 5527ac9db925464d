"""Vectors from events to COPY, without a Python object for each number."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.transcript import vector_row

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"


def unpack(packed: bytes, dimensions: int) -> NDArray[Any]:
    """Structured array of shape (texts,) with the fields `text_key` and `vector`."""
    kind = np.dtype(vector_row(dimensions))
    if len(packed) % kind.itemsize:
        raise ValueError(f"{len(packed)} bytes are no whole number of {kind.itemsize}-byte rows")
    return np.frombuffer(packed, dtype=kind)


def copy_rows(
    segment: int,
    vector_ids: NDArray[np.int64],
    workspaces: list[UUID],
    vectors: NDArray[np.float16],
) -> bytes:
    """
    Rows of the table `embedding` in PostgreSQL's binary COPY format.

    Args:
        vector_ids: shape (n,).
        vectors: shape (n, dimensions).
    """
    count, dimensions = vectors.shape
    size = 4 + 2 * dimensions  # halfvec on the wire: dimensions, unused, big-endian float16
    rows = np.empty(
        count,
        dtype=np.dtype(
            [
                ("fields", ">i2"),
                ("segment_size", ">i4"),
                ("segment", ">i4"),
                ("id_size", ">i4"),
                ("id", ">i8"),
                ("workspace_size", ">i4"),
                ("workspace", "V16"),
                ("vector_size", ">i4"),
                ("dimensions", ">i2"),
                ("unused", ">i2"),
                ("vector", ">f2", (dimensions,)),
            ]
        ),
    )
    rows["fields"] = 4
    rows["segment_size"], rows["segment"] = 4, segment
    rows["id_size"], rows["id"] = 8, vector_ids
    rows["workspace_size"] = 16
    rows["workspace"] = np.frombuffer(b"".join(w.bytes for w in workspaces), dtype="V16")
    rows["vector_size"], rows["dimensions"], rows["unused"] = size, dimensions, 0
    rows["vector"] = vectors
    return HEADER + rows.tobytes() + TRAILER
