"""A score becomes a probability that means the same for every query of a model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Calibration(NamedTuple):
    """A logistic regression's weights."""

    constant: float
    per_score: float
    per_background: float


# Of all-MiniLM-L6-v2, fitted as docs/search-quality.md says. Another model needs its own.
MEANING = Calibration(-6.7, 12.0, -6.1)  # of cosines
HYBRID = Calibration(-5.4, 8.8, -0.9)  # of scores that words and context had a say in
CUT_OFF = 0.07  # below it a hit is not worth a look
# But where something answers the query indeed, what comes after it may be less likely: to leave
# that out would lose half of a conversation, and nonsense finds nothing that convinces.
CONVINCING, TAIL = 0.25, 0.02


def least_shown(likely: NDArray[np.float64]) -> float:
    """The probability from which on hits of one ranking are shown."""
    return TAIL if likely.max(initial=0.0) >= CONVINCING else CUT_OFF


def calibrated(
    scores: ArrayLike, background: ArrayLike, calibration: Calibration
) -> NDArray[np.float64]:
    """
    Args:
        scores: any shape.
        background: the query's mean cosine over the workspace, which is its product with the mean
            of the workspace's vectors. A query that is near to everything has to be nearer.

    Returns:
        0 to 1, in the shape of the two broadcast.
    """
    logits = (
        calibration.constant
        + calibration.per_score * np.asarray(scores, dtype=np.float64)
        + calibration.per_background * np.asarray(background, dtype=np.float64)
    )
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))
