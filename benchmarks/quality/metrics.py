"""Retrieval metrics, as data/bench/baselines.json defines them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.sets import LabelledSet

Floats = NDArray[np.floating]
DISCOUNT = 1 / np.log2(np.arange(2, 12))


def hits(scores: Floats, labelled: LabelledSet, depth: int) -> NDArray[np.bool_]:
    """Shape (queries, depth): whether what stands there is relevant. The query itself is not."""
    found = np.zeros((len(labelled.relevant), depth), dtype=bool)
    for query, relevant in enumerate(labelled.relevant):
        row = scores[query].astype(np.float64)
        if labelled.own is not None:
            row[labelled.own[query]] = -np.inf
        order = np.argsort(-row, kind="stable")[: min(depth, len(row) - (labelled.own is not None))]
        found[query, : len(order)] = np.isin(order, relevant)
    return found


def recall(found: NDArray[np.bool_], labelled: LabelledSet, depth: int) -> NDArray[np.float64]:
    """Hits of all that the depth could hold, for each query."""
    possible = np.array([min(depth, len(relevant)) for relevant in labelled.relevant])
    return found[:, :depth].sum(axis=1) / possible


def ndcg10(found: NDArray[np.bool_], labelled: LabelledSet) -> NDArray[np.float64]:
    ideal = np.array([DISCOUNT[: min(10, len(r))].sum() for r in labelled.relevant])
    return (found[:, :10] * DISCOUNT).sum(axis=1) / ideal


def main_metrics(scores: Floats, labelled: LabelledSet) -> dict[str, float]:
    """The set's own: recall for conversations and look-ups, nDCG@10 for intents."""
    if labelled.metric == "recall":
        found = hits(scores, labelled, 100)
        means = {f"R{at}": recall(found, labelled, at).mean() for at in (10, 100)}
    elif labelled.metric == "recall10":
        means = {"R10": recall(hits(scores, labelled, 10), labelled, 10).mean()}
    else:
        means = {"nDCG10": ndcg10(hits(scores, labelled, 10), labelled).mean()}
    return {name: round(float(value), 4) for name, value in means.items()}


def halves(scores: Floats, labelled: LabelledSet) -> dict[str, list[float]]:
    """The metrics over each half of the queries: the one to choose by, and the other."""
    found = hits(scores, labelled, 100)
    each = {f"R{at}": recall(found, labelled, at) for at in (10, 100)}
    return {
        name: [round(float(values[labelled.half == half].mean()), 4) for half in (0, 1)]
        for name, values in each.items()
    }
