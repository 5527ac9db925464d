"""A score becomes a probability that means the same for every query of a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Of all-MiniLM-L6-v2, fitted as docs/search-quality.md says. Another model needs its own.
CONSTANT, PER_SCORE, PER_BACKGROUND = -6.7, 11.9, -5.7
CUT_OFF = 0.10  # below it a hit is more likely noise than worth a look


def calibrated(scores: ArrayLike, background: ArrayLike) -> NDArray[np.float64]:
    """
    Args:
        scores: cosines, or scores in context on their scale; any shape.
        background: the query's mean cosine over the workspace, which is its product with the mean
            of the workspace's vectors. A query that is near to everything has to be nearer.

    Returns:
        0 to 1, in the shape of the two broadcast.
    """
    logits = (
        CONSTANT
        + PER_SCORE * np.asarray(scores, dtype=np.float64)
        + PER_BACKGROUND * np.asarray(background, dtype=np.float64)
    )
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))
