"""Vector search: ours against exact search, pgvector alone and three other libraries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.vectors import material, million, peers


def measure(data: Path) -> dict[str, Any]:
    """112,000 real vectors side by side with others; then a million, against exact search."""
    vectors = material.real(data)
    return {
        "load": os.getloadavg(),
        "real": peers.measure(vectors),
        "million": million.measure(vectors),
        "load_at_the_end": os.getloadavg(),
    }
