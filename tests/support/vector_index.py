"""Vectors of a few clusters, and what a search for the nearest has to find."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


def clustered(count: int, *, dimensions: int, seed: int = 0, clusters: int = 40) -> Vectors:
    """Unit vectors, some nearer to each other than others, as texts are; shape (count, …)."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(clusters, dimensions))
    rows = centres[random.integers(clusters, size=count)] + random.normal(size=(count, dimensions))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    kept: Vectors = unit.astype(np.float16).astype(np.float32)
    return kept


def nearest(vectors: Vectors, query: Vectors, k: int) -> Ids:
    """The rows of the k nearest, nearest first."""
    return np.argsort(-(vectors @ query), kind="stable")[:k]


def recall(found: Ids, expected: Ids) -> float:
    return len(set(found.tolist()) & set(expected.tolist())) / max(1, len(expected))
