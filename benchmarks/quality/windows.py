"""
Texts embedded together with their neighbours, and means of stored vectors.

Chatledger cannot embed windows: a vector is sealed for the one person whose text it is. They are
measured to know what that costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from application.ports.embedder import Embedder
from benchmarks.quality.sets import LabelledSet

Floats = NDArray[np.float64]
Neighbours = Callable[[int, int | None], list[int]]  # a row, the row left out: rows with it


def within(labelled: LabelledSet, around: int) -> Neighbours:
    conversation = labelled.conversation
    assert conversation is not None

    def neighbours(row: int, left_out: int | None) -> list[int]:
        near = range(max(0, row - around), min(len(conversation), row + around + 1))
        return [at for at in near if conversation[at] == conversation[row] and at != left_out]

    return neighbours


def own_run(labelled: LabelledSet, around: int) -> Neighbours:
    """What the same author said among the messages around."""
    near = within(labelled, around)

    def neighbours(row: int, left_out: int | None) -> list[int]:
        author = labelled.said[row].author
        return [at for at in near(row, left_out) if labelled.said[at].author == author]

    return neighbours


def texts_together(
    labelled: LabelledSet, embedder: Embedder, neighbours: Neighbours
) -> tuple[Floats, Floats]:
    """Scores with the query's message in the archive, and without; shapes (queries, messages)."""
    return _scored(labelled, neighbours, lambda all_rows: _embedded(labelled, embedder, all_rows))


def mean_vectors(labelled: LabelledSet, neighbours: Neighbours) -> tuple[Floats, Floats]:
    """A second vector for each message: the mean of its own, which counts twice, and these."""

    def mean(all_rows: Sequence[list[int]]) -> Floats:
        sums = np.array([labelled.vectors[rows].sum(axis=0) for rows in all_rows])
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float64)

    def twice(row: int, left_out: int | None) -> list[int]:
        return [*neighbours(row, left_out), row]

    return _scored(labelled, twice, mean)


def _embedded(labelled: LabelledSet, embedder: Embedder, all_rows: Sequence[list[int]]) -> Floats:
    texts = ["\n".join(labelled.texts[row] for row in rows) for rows in all_rows]
    return np.asarray(embedder.embed(texts), dtype=np.float64)


def _scored(
    labelled: LabelledSet,
    neighbours: Neighbours,
    vectors_of: Callable[[Sequence[list[int]]], Floats],
) -> tuple[Floats, Floats]:
    assert labelled.own is not None
    every = [neighbours(row, None) for row in range(len(labelled.texts))]
    changed = [
        (query, row, neighbours(row, int(asked)))
        for query, asked in enumerate(labelled.own)
        for row, rows in enumerate(every)
        if asked in rows and row != asked
    ]
    vectors = vectors_of([*every, *(rows for _, _, rows in changed)])
    lenient = np.asarray(labelled.query_vectors @ vectors[: len(every)].T, dtype=np.float64)
    strict = lenient.copy()
    for (query, row, _), vector in zip(changed, vectors[len(every) :], strict=True):
        strict[query, row] = labelled.query_vectors[query] @ vector
    return lenient, strict
