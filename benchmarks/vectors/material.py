"""Vectors of real messages, embedded once and kept; queries that are not among them; answers."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.embedding import messages
from infrastructure.embedders.minilm import MiniLmEmbedder

KEPT = Path(__file__).parents[2] / "var" / "benchmarks" / "vectors.npy"
REAL = 112_000
QUERIES = 500
JITTER = 0.02  # standard deviation of what is added to each number
PIECE = 50_000
K = 10

Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]


def real(data: Path) -> Vectors:
    """Of all different messages of the IRC logs, in random order; shape (about 140,000, 384)."""
    if not KEPT.exists():
        texts = list(dict.fromkeys(messages(data / "irc", 10**9)))
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        np.save(KEPT, MiniLmEmbedder(cache_dir=KEPT.parent).embed(texts))
    vectors: Vectors = np.load(KEPT)
    return vectors[np.random.default_rng(7).permutation(len(vectors))]


def jittered(vectors: Vectors, count: int, *, seed: int = 11) -> Vectors:
    """The vectors and copies of them that are a little off; shape (count, dimensions)."""
    random = np.random.default_rng(seed)
    many = np.empty((count, vectors.shape[1]), np.float32)
    many[: len(vectors)] = vectors
    for start in range(len(vectors), count, PIECE):
        end = min(start + PIECE, count)
        many[start:end] = near(vectors, end - start, random)
    return many


def near(vectors: Vectors, count: int, random: np.random.Generator) -> Vectors:
    rows = vectors[random.integers(0, len(vectors), count)]
    rows = rows + random.normal(scale=JITTER, size=rows.shape).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def nearest(vectors: Vectors, queries: Vectors, k: int = K) -> Ids:
    """By exact search; shape (len(queries), k)."""
    scores, ids = [], []
    for start in range(0, len(vectors), PIECE):
        part = vectors[start : start + PIECE]
        found = faiss.knn(queries, part, k, metric=faiss.METRIC_INNER_PRODUCT)
        scores.append(found[0])
        ids.append(found[1] + start)
    best = np.argsort(-np.hstack(scores), axis=1)[:, :k]
    chosen: Ids = np.take_along_axis(np.hstack(ids), best, axis=1)
    return chosen


def recall(found: list[list[int]], expected: Ids) -> float:
    shares = [
        len(set(ids) & set(row.tolist())) / len(row)
        for ids, row in zip(found, expected, strict=True)
    ]
    return float(np.mean(shares))
