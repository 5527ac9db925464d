"""`python -m benchmarks [NAME …]`: run them all, or some; print a line each, keep the JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.machine import describe

PROJECT = Path(__file__).parents[1]
# name -> module, whether it reads the optional data folder
BENCHMARKS = {
    "appends": ("benchmarks.appends", False),
    "embedding": ("benchmarks.embedding", True),
    "graphql": ("benchmarks.graphql", True),
    "ingest": ("benchmarks.ingest", True),
    "live": ("benchmarks.live", False),
    "quality": ("benchmarks.quality.report", True),
    "rebuild": ("benchmarks.rebuild", True),
    "million": ("benchmarks.million", True),
    "reading": ("benchmarks.reading", True),
    "searching": ("benchmarks.searching", True),
    "serving": ("benchmarks.serving", False),
    "transcribing": ("benchmarks.transcribing", False),
    "vectors": ("benchmarks.vectors", True),
    "whole_path": ("benchmarks.whole_path", True),
    "whole_quality": ("benchmarks.quality.whole_path", True),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=PROJECT / "var" / "benchmarks.json")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    results: dict[str, Any] = {"machine": describe()}
    print(results["machine"])
    for name in arguments.names or BENCHMARKS:
        module, needs_data = BENCHMARKS[name]
        if needs_data and not arguments.data.is_dir():
            print(f"{name}: left out, there is no data folder at {arguments.data}")
            continue
        measure: Callable[..., dict[str, Any]] = import_module(module).measure
        results[name] = measure(arguments.data) if needs_data else measure()
        print(f"{name}: {json.dumps(results[name], indent=1)}", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
