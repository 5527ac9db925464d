"""
Every variant on every labelled set: python -m benchmarks quality.

The vectors are computed once and kept for the run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.database import fresh_database
from benchmarks.quality import calibrated_scores, context_variants, word_variants
from benchmarks.quality.sets import load
from infrastructure.embedders.minilm import MiniLmEmbedder


def measure(data: Path) -> dict[str, Any]:
    """Takes some minutes, of which embedding is most."""
    began = time.perf_counter()
    embedder = MiniLmEmbedder()
    report: dict[str, Any] = {"load": os.getloadavg(), "engine": embedder.engine}
    sets = load(data, embedder)

    def part(name: str, measured: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = measured()
        print(f"quality, {name}: {time.perf_counter() - started:.0f} s", flush=True)
        return result

    print(f"quality, vectors: {time.perf_counter() - began:.0f} s", flush=True)
    report["context"] = part("context", lambda: context_variants.measure(sets, embedder, data))
    with fresh_database() as (url, _), psycopg.connect(url) as connection:
        sides, report["words"] = part("words", lambda: word_variants.words(connection, sets))
        report["fusion"] = part(
            "fusion", lambda: word_variants.fusions(connection, sets, sides, embedder)
        )
        report["calibration"] = part(
            "calibration",
            lambda: calibrated_scores.measure(connection, sets, sides, embedder),
        )
    report["load at the end"] = os.getloadavg()
    report["seconds"] = round(time.perf_counter() - began)
    return report
