"""Ways to make one ranking of two sides."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.contexts import neighbourhoods, scored
from benchmarks.quality.sets import LabelledSet
from infrastructure.search.fusion import combined, looked_up

Floats = NDArray[np.float64]
CANDIDATES = 100  # of each side


@dataclass(frozen=True)
class Sides:
    """All of shape (queries, messages), but `ideals` and `words`, one for each query."""

    meaning: Floats
    impacts: Floats  # BM25 for any word
    held: Floats  # idf of the words that are there
    ideals: Floats
    words: NDArray[np.int64]
    ranks: Floats  # ts_rank_cd for any word


Fusion = Callable[[Sides], Floats]


def chosen(sides: Sides) -> Floats:
    """Without context."""
    return raised(sides) + added(sides)


def searched(sides: Sides, labelled: LabelledSet, *, is_strict: bool = False) -> Floats:
    """
    In the context of a conversation, where there is one: all that decides a ranking.

    Args:
        is_strict: see benchmarks.quality.contexts.late.
    """
    if labelled.conversation is None:
        return chosen(sides)
    around = neighbourhoods(chosen(sides), labelled, is_strict=is_strict, base=sides.meaning)
    return scored(raised(sides), around) + added(sides)


def raised(sides: Sides) -> Floats:
    rows = zip(sides.meaning, sides.impacts, sides.ideals, strict=True)
    return np.array([combined(row, impacts, ideal=float(ideal)) for row, impacts, ideal in rows])


def added(sides: Sides) -> Floats:
    rows = zip(sides.held, sides.ideals, sides.words, strict=True)
    return np.array([looked_up(h, ideal=float(i), words=int(words)) for h, i, words in rows])


def coverage(sides: Sides, weight: float) -> Floats:
    """As chosen, but with one weight for queries of any length."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        part = np.nan_to_num(sides.impacts / sides.ideals[:, None])
    return sides.meaning + weight * np.clip(part, 0, 1)


def reciprocal(words: Floats, sides: Sides, *, k: int = 60, weight: float = 1.0) -> Floats:
    one, other = ranks(sides.meaning), ranks(words)
    first = np.where(one <= CANDIDATES, 1 / (k + one), 0)
    second = np.where((other <= CANDIDATES) & (words > 0), weight / (k + other), 0)
    return np.asarray(first + second)


def convex(
    words: Floats, sides: Sides, weight: float, scaled: Callable[[Floats], Floats]
) -> Floats:
    return (1 - weight) * scaled(sides.meaning) + weight * scaled(words)


def least_to_most(scores: Floats) -> Floats:
    """0 for the last candidate, 1 for the best, in each query."""
    ordered = -np.sort(-scores, axis=1)
    best, last = ordered[:, :1], np.maximum(ordered[:, [min(CANDIDATES, len(ordered[0])) - 1]], 0)
    return np.clip((scores - last) / np.maximum(best - last, 1e-6), 0, 1)


def standardised(scores: Floats) -> Floats:
    candidates = -np.sort(-scores, axis=1)[:, :CANDIDATES]
    spread = np.maximum(candidates.std(axis=1, keepdims=True), 1e-6)
    return np.maximum((scores - candidates.mean(axis=1, keepdims=True)) / spread, -1)


def by_best(words: Floats) -> Floats:
    return words / np.maximum(words.max(axis=1, keepdims=True), 1e-6)


FUSIONS: dict[str, Fusion] = {
    "RRF(60) with ts_rank_cd": lambda s: reciprocal(s.ranks, s),
    "RRF(60)": lambda s: reciprocal(s.impacts, s),
    "RRF(60), words 1/2": lambda s: reciprocal(s.impacts, s, weight=0.5),
    "RRF(60), words 1/4": lambda s: reciprocal(s.impacts, s, weight=0.25),
    "RRF(10), words 1/4": lambda s: reciprocal(s.impacts, s, k=10, weight=0.25),
    "0.8 and 0.2 of min-max": lambda s: convex(s.impacts, s, 0.2, least_to_most),
    "0.7 and 0.3 of min-max": lambda s: convex(s.impacts, s, 0.3, least_to_most),
    "0.5 and 0.5 of min-max": lambda s: convex(s.impacts, s, 0.5, least_to_most),
    "0.8 and 0.2 of z-scores": lambda s: convex(s.impacts, s, 0.2, standardised),
    "cosine + 0.1 of best ts_rank_cd": lambda s: s.meaning + 0.1 * by_best(s.ranks),
    "cosine + 0.1 of best BM25": lambda s: s.meaning + 0.1 * by_best(s.impacts),
    "cosine + 0.2 of ideal BM25": lambda s: coverage(s, 0.2),
    "cosine + 0.25 of ideal BM25": lambda s: coverage(s, 0.25),
    "cosine + 0.5 of ideal BM25": lambda s: coverage(s, 0.5),
    "chosen, without context": chosen,
}


def ranks(scores: Floats) -> NDArray[np.int64]:
    """1 for the best, in each row."""
    order = np.argsort(-scores, axis=1, kind="stable")
    found = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(found, order, np.arange(1, order.shape[1] + 1)[None], axis=1)
    return found


def without_own(scores: Floats, labelled: LabelledSet) -> Floats:
    """A query's own message shall take no rank."""
    if labelled.own is None:
        return np.asarray(scores, dtype=np.float64)
    result = np.array(scores, dtype=np.float64)
    result[np.arange(len(result)), labelled.own] = 0.0
    return result
