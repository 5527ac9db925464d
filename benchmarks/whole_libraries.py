"""
Run by another Python, which has chromadb, txtai and sentence-transformers: texts in, texts out.

Each is used as its documentation shows, with the model's folder in place of the model's name. What
they are filled with is known already; what they are asked they embed themselves.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

BATCH = 5_000
READY = "ready"  # a file in the folder of what is filled


class Library(NamedTuple):
    search: Callable[[str], list[str]]  # ten texts, the nearest first
    embed: Callable[[str], Any]  # as it does it for a query


def chromadb(folder: Path, model: str, k: int, fill: Any) -> Library:
    functions = import_module("chromadb.utils.embedding_functions")
    embed = functions.SentenceTransformerEmbeddingFunction(model_name=model)
    client = import_module("chromadb").PersistentClient(str(folder))
    if fill is not None:
        texts, vectors = fill
        made = client.create_collection("messages", embedding_function=embed)
        for start in range(0, len(texts), BATCH):
            end = min(start + BATCH, len(texts))
            made.add(
                ids=[str(id_) for id_ in range(start, end)],
                embeddings=vectors[start:end],
                documents=texts[start:end],
            )
    collection = client.get_collection("messages", embedding_function=embed)

    def search(query: str) -> list[str]:
        found = collection.query(
            query_texts=[query], n_results=k, include=["documents", "distances"]
        )
        documents: list[str] = found["documents"][0]
        return documents

    return Library(search, lambda query: embed([query]))


def txtai(folder: Path, model: str, k: int, fill: Any) -> Library:
    make = import_module("txtai").Embeddings
    embeddings = make(path=model, content=True)
    if fill is not None:
        texts, vectors = fill
        kept = dict(zip(texts, vectors, strict=True))
        embeddings.model.encode = lambda data, *_: np.array([kept[text] for text in data])
        embeddings.index((number, text, None) for number, text in enumerate(texts))
        embeddings.save(str(folder / "index"))
        embeddings = make()
    embeddings.load(str(folder / "index"))

    def search(query: str) -> list[str]:
        return [row["text"] for row in embeddings.search(query, k)]

    return Library(search, embeddings.transform)


def main(name: str, place: str, model: str, k: int) -> None:
    folder = Path(place) / name
    is_filled = (folder / READY).exists()
    fill = None
    if not is_filled:
        shutil.rmtree(folder, ignore_errors=True)  # what was begun
        folder.mkdir()
        texts = json.loads((Path(place) / "texts.json").read_text(encoding="utf-8"))
        fill = (texts, np.load(Path(place) / "vectors.npy"))
    library = {"chromadb": chromadb, "txtai": txtai}[name](folder, model, k, fill)
    (folder / READY).touch()
    queries = json.loads((Path(place) / "queries.json").read_text(encoding="utf-8"))
    torch = import_module("torch")
    usual = torch.get_num_threads()
    print(json.dumps({"threads": usual}), flush=True)
    for line in sys.stdin:
        what, threads = line.split()
        torch.set_num_threads(int(threads) or usual)
        do: Callable[[str], Any] = library.search if what == "search" else library.embed
        milliseconds, found = [], []
        for query in queries:
            began = time.perf_counter()
            answer = do(query)
            milliseconds.append((time.perf_counter() - began) * 1000)
            found.append(answer if do is library.search else None)
        print(json.dumps({"milliseconds": milliseconds, "found": found}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
