"""Peak memory of reading, for exports of 10 MB and of 1 GB."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.reading.samples import MEGABYTE, grow

FORMATS = ("telegram", "slack", "discord", "irc", "whatsapp", "messenger", "signal")
SIZES = (10 * MEGABYTE, 1000 * MEGABYTE)


def measure(data: Path) -> dict[str, Any]:
    """In processes of their own: a process's peak never goes down again."""
    found: dict[str, Any] = {}
    for format in FORMATS:
        rows = []
        for size in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                path = grow(format, data, Path(folder), size)
                command = [sys.executable, "-m", "benchmarks.reading.memory", str(path), format]
                output = subprocess.run(command, check=True, capture_output=True, text=True)
                rows.append({"bytes": path.stat().st_size, **json.loads(output.stdout)})
        found[format] = {
            "sizes": rows,
            "more_mb": rows[-1]["peak_mb"] - rows[0]["peak_mb"],
            "goal": "as much for 1 GB as for 10 MB",
        }
        print(f"reading {format}: {json.dumps(found[format])}", flush=True)
    return found


def read(path: Path, format: str) -> dict[str, Any]:
    from benchmarks.reading.speed import read as count_messages

    before, started = peak_mb(), time.process_time()
    messages = count_messages(path, format)
    return {
        "messages": messages,
        "seconds": time.process_time() - started,
        "before_mb": before,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """Of this program alone: `ru_maxrss` begins with the peak of the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    print(json.dumps(read(Path(sys.argv[1]), sys.argv[2])))
