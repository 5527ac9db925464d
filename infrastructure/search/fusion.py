"""Two sides become one: by ranks alone, or by what a cosine and the words are worth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

K = 60  # Cormack, Clarke and Büttcher 2009: dampens the first few ranks
WORDS = 0.25  # of a cosine: what words add in a sentence that is wholly there

Item = TypeVar("Item", bound=Hashable)


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


def words_weight(words: int) -> float:
    """What all of a query's words are worth, in cosine: a single word is looked up, not meant."""
    return max(WORDS, 1 / max(words, 1))


def combined(
    cosines: NDArray[np.floating],
    impacts: NDArray[np.floating],
    *,
    ideal: float,
    words: int,
) -> NDArray[np.float64]:
    """
    Meaning first; words raise.

    Args:
        cosines: shape (n,), of the query and each message.
        impacts: shape (n,), BM25 of the query in each message, 0 where no word stands.
        ideal: the sum of the idf of the query's distinct words, also of those that stand nowhere.
        words: how many these are, without stop words.

    Returns:
        Shape (n,): the cosine, and more as far as the query's words stand in the message.
    """
    own = np.asarray(cosines, dtype=np.float64)
    if ideal <= 0.0:
        return own
    return own + words_weight(words) * np.clip(np.asarray(impacts) / ideal, 0.0, 1.0)
