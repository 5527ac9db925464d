"""A million vectors: ours against exact search."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.vectors.clock import summary, timed
from benchmarks.vectors.material import QUERIES, REAL, Vectors, jittered, near, nearest, recall
from benchmarks.vectors.ours import Exact, Ours, additions, filtered, one_thread, queries_of

COUNT = 1_000_000
EXACT_QUERIES = 60


def measure(vectors: Vectors) -> dict[str, Any]:
    """
    Real ones and jittered copies. Asked with jittered vectors, whose neighbours are the copies,
    and with real messages that are not there, which is harder.
    """
    many = jittered(vectors[:REAL], COUNT)
    kinds = {
        "jittered": near(vectors[:REAL], QUERIES, np.random.default_rng(3)),
        "held_out": queries_of(vectors),
    }

    def run() -> dict[str, Any]:
        ours, exact = Ours(many), Exact(many)
        found: dict[str, Any] = {}
        for kind, queries in kinds.items():
            milliseconds, ids = timed(ours.search, list(queries))
            base, _ = timed(exact.search, list(queries[:EXACT_QUERIES]))
            found[kind] = {
                "recall": round(recall(ids, nearest(many, queries)), 4),
                "ours": summary(milliseconds),
                "exact": summary(base),
            }
        return {
            **found,
            "filtered": filtered(ours, many, kinds["held_out"]),
            "bytes_a_vector": round(ours.bytes_a_vector, 1),
            "build_s": round(ours.build_s, 1),
            "adding_10000_s": additions(ours, many),
        }

    result: dict[str, Any] = one_thread(run)
    return {**result, "goal": "p50 0.6 ms at 0.985, 450 bytes; filtered 2 ms at 0.99; 1 s"}
