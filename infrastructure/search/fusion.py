"""Two sides become one: by what a cosine and the words are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORDS = 0.25  # of a cosine: what the words of a whole sentence are worth

Scores = NDArray[np.float64]


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
