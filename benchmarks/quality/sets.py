"""The labelled messages: what is asked, what is relevant, who said it and when."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from application.ports.embedder import Embedder
from infrastructure.columns.addressing import addressed
from infrastructure.search.context import Said

Vectors = NDArray[np.float32]
MIDNIGHT = 86_400.0  # seconds


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """`own` has the row of each query that is itself a message: it is never a candidate."""

    metric: Literal["recall", "recall10", "nDCG10"]
    texts: list[str]
    vectors: Vectors  # shape (messages, dimensions)
    queries: list[str]
    query_vectors: Vectors  # shape (queries, dimensions)
    relevant: list[NDArray[np.intp]]  # rows, for each query
    own: NDArray[np.intp] | None
    half: NDArray[np.int64]  # 0: to choose by; 1: to report
    said: list[Said] = field(default_factory=list)  # for each message, if they were said in turn
    conversation: NDArray[np.intp] | None = None

    @property
    def cosines(self) -> Vectors:
        return self.query_vectors @ self.vectors.T


def load(data: Path, embedder: Embedder) -> dict[str, LabelledSet]:
    """
    Args:
        data: the optional data folder, with `bench` in it.

    Raises:
        FileNotFoundError: if it is not there.
    """
    bench = data / "bench"
    return {
        "irc": irc(bench, embedder),
        "banking77": banking(bench, embedder),
        "snips": among_themselves(bench / "snips-clusters.jsonl", embedder),
        "web": among_themselves(bench / "WebApplicationsCorpus.jsonl", embedder),
    }


def irc(bench: Path, embedder: Embedder) -> LabelledSet:
    """A conversation's opening message asks for the rest of it."""
    rows = lines(bench / "irc-conversations.jsonl")
    asked = lines(bench / "irc-queries.jsonl")
    place = {row["_id"]: at for at, row in enumerate(rows)}
    texts = [row["text"] for row in rows]
    vectors = embedder.embed(texts)
    own = np.array([place[query["_id"]] for query in asked])
    return LabelledSet(
        metric="recall",
        texts=texts,
        vectors=vectors,
        queries=[texts[at] for at in own],
        query_vectors=vectors[own],
        relevant=[np.array([place[key] for key in query["relevant"]]) for query in asked],
        own=own,
        half=halves_of(asked),
        said=spoken(rows),
        conversation=np.unique([row["file"] for row in rows], return_inverse=True)[1],
    )


def spoken(rows: list[dict[str, Any]]) -> list[Said]:
    """In the order of the file, whose clock only knows hours and minutes."""
    said, file, midnights, latest = [], "", 0.0, 0.0
    for at, row in enumerate(rows):
        hours, minutes = row["time"].split(":")
        seconds = int(hours) * 3600.0 + int(minutes) * 60.0
        if row["file"] != file:
            file, midnights, latest = row["file"], 0.0, seconds
        midnights += MIDNIGHT if seconds + midnights < latest - MIDNIGHT / 2 else 0.0
        latest = seconds + midnights
        said.append(
            Said(at, row["nick"] or None, row["nick"] or "", latest, addressed(row["text"]))
        )
    return said


def banking(bench: Path, embedder: Embedder, *, every: int = 1) -> LabelledSet:
    """
    A customer's question asks for all of its intent.

    Args:
        every: 4 takes each fourth message of the corpus.
    """
    folder = bench / "banking77"
    rows, asked = lines(folder / "corpus.jsonl")[::every], lines(folder / "queries.jsonl")
    texts, queries = [row["text"] for row in rows], [row["text"] for row in asked]
    labels = np.array([row["label"] for row in rows])
    return LabelledSet(
        metric="nDCG10",
        texts=texts,
        vectors=embedder.embed(texts),
        queries=queries,
        query_vectors=embedder.embed(queries),
        relevant=[np.flatnonzero(labels == row["label"]) for row in asked],
        own=None,
        half=halves_of(asked),
        said=[
            Said(at, at % 200, f"Customer {at % 200 + 1:03}", at * 600.0, addressed(text))
            for at, text in enumerate(texts)
        ],
        conversation=np.zeros(len(texts), dtype=np.intp),
    )


def among_themselves(path: Path, embedder: Embedder) -> LabelledSet:
    """Each text asks for the others of its intent."""
    rows = lines(path)
    texts = [row["text"] for row in rows]
    vectors = embedder.embed(texts)
    labels = np.array([row["label"] for row in rows])
    every = np.arange(len(rows))
    lone = [at for at in every if (labels == labels[at]).sum() > 1]
    own = every[lone]
    return LabelledSet(
        metric="nDCG10",
        texts=texts,
        vectors=vectors,
        queries=[texts[at] for at in own],
        query_vectors=vectors[own],
        relevant=[np.flatnonzero((labels == labels[at]) & (every != at)) for at in own],
        own=own,
        half=halves_of([rows[at] for at in own]),
    )


def shuffled(labelled: LabelledSet, *, is_dense: bool) -> LabelledSet:
    """
    The same messages where neighbours have nothing to do with each other.

    Args:
        is_dense: eight people who talk every 20 seconds, as in a lively group, and not two
            hundred who take turns every ten minutes.
    """
    random = np.random.default_rng(0)
    order = random.permutation(len(labelled.texts))
    place = np.argsort(order)
    speaker = random.integers(0, 8, len(order))
    said = [
        Said(at, int(speaker[at]), f"p{speaker[at]}", at * 20.0, addressed(labelled.texts[row]))
        if is_dense
        else labelled.said[at]._replace(addresses=addressed(labelled.texts[row]))
        for at, row in enumerate(order)
    ]
    return replace(
        labelled,
        texts=[labelled.texts[row] for row in order],
        vectors=labelled.vectors[order],
        relevant=[place[rows] for rows in labelled.relevant],
        said=said,
    )


def halves_of(rows: list[dict[str, Any]]) -> NDArray[np.int64]:
    return np.array([int(hashlib.sha256(r["_id"].encode()).hexdigest(), 16) % 2 for r in rows])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
