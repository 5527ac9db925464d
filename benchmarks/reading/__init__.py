"""Reading exports: speed against a JSON parser and another importer, and peak memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.reading import memory, speed


def measure(data: Path) -> dict[str, Any]:
    """On real exports, and on files of 10 MB and 1 GB in which real messages are repeated."""
    return {
        "load": os.getloadavg(),
        "speed": speed.measure(data),
        "memory": memory.measure(data),
        "load_at_the_end": os.getloadavg(),
    }
