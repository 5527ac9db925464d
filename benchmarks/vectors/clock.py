"""Queries one after another, each timed: what every engine is measured by."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def timed(search: Callable[[Any], list[int]], queries: Sequence[Any]) -> tuple[list[float], Any]:
    """Milliseconds of each query, and what it found."""
    milliseconds, found = [], []
    for query in queries:
        started = time.perf_counter()
        ids = search(query)
        milliseconds.append((time.perf_counter() - started) * 1000)
        found.append(ids)
    return milliseconds, found


def summary(milliseconds: Sequence[float]) -> dict[str, float]:
    """Queries a second by the median, since others use the machine too."""
    p50, p95 = np.percentile(milliseconds, [50, 95]).tolist()
    return {
        "p50_ms": round(p50, 3),
        "p95_ms": round(p95, 3),
        "queries_a_second": round(1000 / p50),
    }
