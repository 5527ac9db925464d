"""Our index and exact search, each filled and asked in this process by one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np

from benchmarks.vectors.clock import summary, timed
from benchmarks.vectors.material import QUERIES, Ids, K, Vectors, nearest, recall
from infrastructure.vectors.faiss_index import FaissIndex

PAGE = 5_000  # vectors, as the follower takes them in
ADDED = 10_000
SHARE = 0.01  # of the messages, kept by a filter


class Ours:
    """Filled as the follower does it: lists are made, and made anew, on the way."""

    name = "ours"

    def __init__(self, vectors: Vectors) -> None:
        started = time.perf_counter()
        self.index = FaissIndex(vectors.shape[1])
        for start in range(0, len(vectors), PAGE):
            rows = vectors[start : start + PAGE]
            self.index.add(np.arange(start, start + len(rows)), rows)
            self.index.wait()
        self.build_s = time.perf_counter() - started
        self.bytes_a_vector = self.index.memory_bytes / len(vectors)

    def search(self, query: Any) -> list[int]:
        found: list[int] = self.index.search(query, K)[0].tolist()
        return found


class Exact:
    name = "exact"

    def __init__(self, vectors: Vectors) -> None:
        started = time.perf_counter()
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)
        self.build_s = time.perf_counter() - started
        self.bytes_a_vector = float(vectors.shape[1] * 4)

    def search(self, query: Any) -> list[int]:
        found: list[int] = self._index.search(query[np.newaxis], K)[1][0].tolist()
        return found


def filtered(ours: Ours, vectors: Vectors, queries: Vectors) -> dict[str, Any]:
    """One message in a hundred may be found."""
    count = int(len(vectors) * SHARE)
    random = np.random.default_rng(5)
    allowed: Ids = np.sort(random.choice(len(vectors), count, replace=False)).astype(np.int64)

    def search(query: Any) -> list[int]:
        found: list[int] = ours.index.search(query, K, allowed=allowed)[0].tolist()
        return found

    milliseconds, found = timed(search, list(queries))
    expected = allowed[nearest(vectors[allowed], queries)]
    return {"recall": round(recall(found, expected), 4), **summary(milliseconds)}


def additions(ours: Ours, vectors: Vectors) -> float:
    """Seconds for 10,000 that are new, searchable when it returns; they are removed again."""
    ids = np.arange(ADDED) + 10**9
    rows = np.ascontiguousarray(vectors[:ADDED])
    started = time.perf_counter()
    ours.index.add(ids, rows)
    seconds = time.perf_counter() - started
    ours.index.wait()
    ours.index.remove(ids)
    ours.index.wait()
    return round(seconds, 3)


def one_thread(measure: Callable[[], Any]) -> Any:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        return measure()
    finally:
        faiss.omp_set_num_threads(before)


def queries_of(vectors: Vectors) -> Vectors:
    """Real messages that are not in the index."""
    return np.ascontiguousarray(vectors[-QUERIES:])
