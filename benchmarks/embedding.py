"""
How much faster texts are embedded than by sentence-transformers with its defaults.

Both embed the same messages in turn, several times in one process, so that a busy machine slows
both; what counts is the ratio. Run from the repository root: python -m benchmarks.embedding
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from infrastructure.embedders.minilm import MiniLmEmbedder
from infrastructure.embedders.weights import packaged_model, sentence_transformer

DATA = Path(__file__).parents[1] / ".." / "shared" / "data" / "irc"
LINE = re.compile(r"\[\d\d:\d\d\] <[^>]+> (.*\S.*)")


def main() -> int:
    arguments = parsed()
    try:
        report = measure_ways(arguments.data, arguments.texts, arguments.engines, arguments.repeats)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    show(report)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(data: Path) -> dict[str, Any]:
    """The engine that is chosen by itself, on the 5,000 messages of the goal."""
    report = measure_ways(data / "irc", 5_000, ["auto"], 3)
    return {**report, "goal": "ratio at least 2.5, every cosine at least 0.999"}


def measure_ways(folder: Path, count: int, engines: list[Any], repeats: int) -> dict[str, Any]:
    """
    Raises:
        FileNotFoundError: if there are no messages in the folder.
    """
    texts = messages(folder, count)
    began = time.perf_counter()
    stock = sentence_transformer(packaged_model())
    loads = {"sentence-transformers": time.perf_counter() - began}
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        MiniLmEmbedder(cache_dir=cache).load()  # the first start converts, the second one reads
        ours: dict[str, MiniLmEmbedder] = {}
        for engine in engines:
            began = time.perf_counter()
            ours[engine] = MiniLmEmbedder(engine=engine, cache_dir=cache)
            ours[engine].load()
            loads[engine] = time.perf_counter() - began
        return {
            "machine": machine(),
            "texts": len(texts),
            "distinct": len(set(texts)),
            "load_seconds": {way: round(seconds, 2) for way, seconds in loads.items()},
            **compare(stock, ours, texts, repeats),
            "query_ms": query_ms(MiniLmEmbedder(threads=1, cache_dir=cache), texts[:100]),
        }


def compare(
    stock: Any, ours: dict[str, MiniLmEmbedder], texts: list[str], repeats: int
) -> dict[str, Any]:
    import torch

    threads = len(os.sched_getaffinity(0))

    def plain() -> Any:
        torch.set_num_threads(threads)
        return stock.encode(texts, show_progress_bar=False)

    ways: dict[str, Callable[[], Any]] = {"sentence-transformers": plain}
    for embedder in ours.values():
        ways[embedder.engine] = lambda embedder=embedder: embedder.embed(texts)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    vectors: dict[str, Any] = {}
    stock.encode(texts[:64], show_progress_bar=False)
    for _ in range(repeats):
        for way, embed in ways.items():
            began = time.perf_counter()
            vectors[way] = embed()
            seconds[way].append(time.perf_counter() - began)
            print(f"{way}: {len(texts) / seconds[way][-1]:.0f} texts/s", flush=True)
    base = seconds["sentence-transformers"]
    return {
        "ways": {
            way: {
                "texts_per_second": [round(len(texts) / one) for one in took],
                "ratios": [round(b / one, 2) for b, one in zip(base, took, strict=True)],
                "median_ratio": round(median(b / o for b, o in zip(base, took, strict=True)), 2),
                "ratio_of_best": round(min(base) / min(took), 2),
                "least_cosine": float(
                    np.sum(vectors[way] * vectors["sentence-transformers"], axis=1).min()
                ),
            }
            for way, took in seconds.items()
        }
    }


def query_ms(embedder: MiniLmEmbedder, texts: list[str]) -> dict[str, float]:
    embedder.embed(texts[:3])
    took = []
    for text in texts:
        began = time.perf_counter()
        embedder.embed([text])
        took.append((time.perf_counter() - began) * 1000)
    return {f"p{p}": round(float(np.percentile(took, p)), 1) for p in (5, 50, 95)}


def messages(folder: Path, count: int) -> list[str]:
    """Evenly sampled over all files."""
    files = sorted((folder / "ubuntu").glob("*.raw.txt"))
    lines = (
        LINE.fullmatch(line)
        for file in files
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    )
    every = [line[1] for line in lines if line]
    if not every:
        raise FileNotFoundError(f"no ubuntu/*.raw.txt with messages in {folder}: give --data")
    count = min(count, len(every))
    return [every[at * len(every) // count] for at in range(count)]


def machine() -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    name = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    flags = set(cpuinfo.split())
    return {
        "processor": name[1] if name else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "features": sorted(flags & {"avx2", "avx512f", "avx512_bf16", "amx_bf16"}),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def show(report: dict[str, Any]) -> None:
    about = report["machine"]
    print(f"\n{about['processor']}, {about['cores']} cores, {' '.join(about['features'])}")
    print(f"{report['texts']} texts, {report['distinct']} distinct\n")
    print(f"{'':24}{'texts/s (best)':>15}{'ratio (median)':>16}{'of best':>9}{'least cosine':>14}")
    for way, row in report["ways"].items():
        best, ratio = max(row["texts_per_second"]), row["median_ratio"]
        print(f"{way:24}{best:>15}{ratio:>16}{row['ratio_of_best']:>9}{row['least_cosine']:>14.6f}")
    print(f"\nload, s: {report['load_seconds']}; one query, ms: {report['query_ms']}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with ubuntu/*.raw.txt")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    parser.add_argument("--engines", nargs="+", default=["openvino"], choices=["openvino", "torch"])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
