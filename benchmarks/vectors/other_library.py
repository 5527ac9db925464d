"""
Run by another Python, which has chromadb, lancedb and txtai: one of them, at its defaults, and
looking at as much as it needs to find as many of the nearest as we do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "LANCE_CPU_THREADS": "1", "TOKIO_WORKER_THREADS": "1"}
import numpy as np

Search = Callable[[Any], list[int]]
# What makes it look at as much as it takes; None: its defaults.
Widen = Callable[[], None]
BATCH = 5_000
LANCEDB_PARTITIONS, LANCEDB_EF, LANCEDB_REFINED = 20, 100, 1
TXTAI_LISTS = 420


def chromadb(vectors: Any, folder: Path, k: int) -> tuple[Search, Widen]:
    client = import_module("chromadb").PersistentClient(str(folder))
    collection = client.create_collection("vectors", metadata={"hnsw:space": "ip"})
    for start in range(0, len(vectors), BATCH):
        rows = vectors[start : start + BATCH]
        ids = [str(id_) for id_ in range(start, start + len(rows))]
        collection.add(ids=ids, embeddings=rows)

    def search(query: Any) -> list[int]:
        found = collection.query(query_embeddings=query[np.newaxis], n_results=k, include=[])
        return [int(id_) for id_ in found["ids"][0]]

    def widen() -> None:
        """What its graph was made with stays until its process ends."""

    return search, widen


def lancedb(vectors: Any, folder: Path, k: int) -> tuple[Search, Widen]:
    arrow = import_module("pyarrow")
    flat = arrow.array(vectors.ravel())
    table = arrow.table(
        {
            "id": arrow.array(np.arange(len(vectors))),
            "vector": arrow.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        }
    )
    made = import_module("lancedb").connect(str(folder)).create_table("vectors", table)
    made.create_index(metric="dot", index_type="IVF_HNSW_SQ")

    is_wide = False

    def search(query: Any) -> list[int]:
        asked = made.search(query).distance_type("dot").select(["id"]).limit(k)
        if is_wide:
            asked = asked.nprobes(LANCEDB_PARTITIONS).ef(LANCEDB_EF).refine_factor(LANCEDB_REFINED)
        ids: list[int] = asked.to_arrow()["id"].to_pylist()
        return ids

    def widen() -> None:
        nonlocal is_wide
        is_wide = True

    return search, widen


def txtai(vectors: Any, folder: Path, k: int) -> tuple[Search, Widen]:
    """Its index of vectors alone, without the models and databases around it."""
    settings = {"backend": "faiss", "dimensions": vectors.shape[1]}
    index = import_module("txtai.ann").ANNFactory.create(settings)
    index.index(vectors.copy())
    folder.mkdir()
    index.save(str(folder / "index"))

    def search(query: Any) -> list[int]:
        return [id_ for id_, _ in index.search(query[np.newaxis].copy(), k)[0]]

    def widen() -> None:
        index.config["faiss"] = {"nprobe": TXTAI_LISTS}

    return search, widen


def main(name: str, place: str, k: int) -> None:
    vectors = np.load(Path(place) / "archive.npy")
    queries = np.load(Path(place) / "queries.npy")
    folder = Path(place) / name
    started = time.perf_counter()
    search, widen = {"chromadb": chromadb, "lancedb": lancedb, "txtai": txtai}[name](
        vectors, folder, k
    )
    seconds = time.perf_counter() - started
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(json.dumps({"build_s": seconds, "bytes_a_vector": size / len(vectors)}), flush=True)
    for line in sys.stdin:
        if line.strip() == "widen":
            widen()
        milliseconds, found = [], []
        for query in queries:
            began = time.perf_counter()
            ids = search(query)
            milliseconds.append((time.perf_counter() - began) * 1000)
            found.append(ids)
        print(json.dumps({"milliseconds": milliseconds, "found": found}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
