"""Memory of reading a 1 GB JSON lines export up to its events, beyond what was there before."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

GIB = 1_000_000_000  # bytes


def measure() -> dict[str, Any]:
    """In a process of its own: a process's peak never goes down again."""
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "export.jsonl"
        write(export)
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.transcribing", str(export)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    result: dict[str, Any] = json.loads(output)
    return {**result, "goal": "under 300 MB"}


def write(path: Path) -> None:
    text = "It was the best of times, it was the worst of times. " * 8
    with path.open("w") as file:
        size = number = 0
        while size < GIB:
            line = json.dumps(
                {
                    "id": f"m{number}",
                    "conversation": f"room {number % 50}",
                    "author": f"person {number % 500}",
                    "timestamp": 1_500_000_000 + number,
                    "text": text + str(number),
                }
            )
            size += file.write(line + "\n")
            number += 1


def read(path: Path) -> dict[str, Any]:
    """Through the same steps as the reading job, but for storing."""
    import time
    from uuid import UUID

    from application.ports.chat_reader import ReadFacts, ReadOptions
    from application.transcription import Transcriber, batches
    from infrastructure.keys.master import MasterKey
    from infrastructure.keys.pseudonyms import HmacPseudonyms
    from infrastructure.readers.local_file import LocalFile
    from infrastructure.readers.registry import Readers

    readers = Readers()
    export = readers.open(LocalFile(path))
    reader, _ = readers.recognise(export)
    transcriber = Transcriber(
        HmacPseudonyms(MasterKey(bytes(32))), workspace_id=UUID(int=1), format=reader.format
    )
    before, started, messages = peak_mb(), time.perf_counter(), 0
    items = reader.read(export, ReadOptions(), ReadFacts())
    for number, (batch, conversations) in enumerate(batches(items)):
        transcriber.transcribe(UUID(int=2), number, batch, conversations)
        messages += len(batch)
    return {
        "messages": messages,
        "seconds": time.perf_counter() - started,
        "beyond_mb": peak_mb() - before,
    }


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    print(json.dumps(read(Path(sys.argv[1]))))
