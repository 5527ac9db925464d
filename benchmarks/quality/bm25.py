"""BM25: what a word of a query is worth in a message. Chosen in docs/search-quality.md."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infrastructure.words.ranking import K1, B

Floats = NDArray[np.float64]


def idf(messages: int, holding: ArrayLike) -> Floats:
    """
    Args:
        messages: in the workspace.
        holding: of them, how many hold the word; any shape, 0 allowed.

    Returns:
        Above 0, in the shape of `holding`.
    """
    held = np.asarray(holding, dtype=np.float64)
    return np.log1p((messages - held + 0.5) / (held + 0.5))


def impacts(
    idfs: ArrayLike,
    counts: ArrayLike,
    lengths: ArrayLike,
    mean_length: float,
    *,
    k1: float = K1,
    b: float = B,
) -> Floats:
    """
    Args:
        idfs, counts: of a word, and how often it stands in a message.
        lengths: of the messages, in words that count. All three of shapes that broadcast.
        mean_length: over the workspace, above 0.

    Returns:
        To be summed over a query's distinct words. A word that stands once in a message of mean
        length is worth its idf.
    """
    counted = np.asarray(counts, dtype=np.float64)
    relative = np.asarray(lengths, dtype=np.float64) / mean_length
    return np.asarray(idfs) * counted * (k1 + 1) / (counted + k1 * (1 - b + b * relative))
