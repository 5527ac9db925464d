"""Two sides become one: by ranks alone, or by what a cosine and the words are worth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

K = 60  # Cormack, Clarke and Büttcher 2009: dampens the first few ranks
WORDS = 0.25  # of a cosine: what the words of a whole sentence are worth

Item = TypeVar("Item", bound=Hashable)
Scores = NDArray[np.float64]


def fuse(*rankings: Sequence[Item]) -> list[tuple[Item, float]]:
    """
    Reciprocal rank fusion, whatever the scores mean.

    Args:
        rankings: each best first, without repetition.

    Returns:
        Every item with the sum of 1 / (60 + rank), best first. What stands equal keeps the order
        of the first ranking that has it.
    """
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (K + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def combined(
    cosines: NDArray[np.floating], impacts: NDArray[np.floating], *, ideal: float
) -> Scores:
    """
    Meaning first; words raise. Context, if there is any, is taken of this.

    Args:
        cosines: shape (n,), of the query and each message.
        impacts: shape (n,), BM25 of the query in each message, 0 where no word stands.
        ideal: the sum of the idf of the query's distinct words, also of those that stand nowhere;
            0 if it has none.

    Returns:
        Shape (n,): the cosine, and up to a quarter more as far as the query's words are there.
    """
    return np.asarray(cosines, dtype=np.float64) + WORDS * _part(impacts, ideal)


def looked_up(held: NDArray[np.floating], *, ideal: float, words: int) -> Scores:
    """
    What comes on top for a query of one to three words, which are looked up more than meant.

    It belongs to the messages that hold the words and is none of their neighbours' business, so
    it is added after context. However long the message: BM25 would put long ones last.

    Args:
        held: shape (n,), the sum of the idf of those of the query's words that stand in a message.
        ideal: as above.
        words: the query's distinct words.

    Returns:
        Shape (n,), with `combined` up to one cosine for a single word, half of one for two.
    """
    weight = max(0.0, 1.0 / max(words, 1) - WORDS)
    return weight * _part(held, ideal)


def _part(worth: NDArray[np.floating], ideal: float) -> Scores:
    """0 to 1."""
    if ideal <= 0.0:
        return np.zeros(len(worth))
    return np.clip(np.asarray(worth, dtype=np.float64) / ideal, 0.0, 1.0)
