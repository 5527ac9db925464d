"""What a score means: fitted on one half of the queries, looked at on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.sets import LabelledSet

Floats = NDArray[np.float64]
LOOKED_AT = 100  # the best of each query
CUTS = (0.05, 0.10, 0.15, 0.20, 0.30)


@dataclass(frozen=True)
class Answers:
    """The best of each query. Shapes (queries, at most 100), but `background` and `half`."""

    scores: Floats
    relevant: NDArray[np.bool_]
    background: Floats  # the query's mean over the set
    half: NDArray[np.int64]


def answers(scores: Floats, labelled: LabelledSet) -> Answers:
    return _answers(scores, labelled.cosines, labelled.relevant, labelled.own, labelled.half)


def nonsense(scores: Floats, cosines: Floats) -> Answers:
    """Nothing is relevant."""
    nothing = [np.zeros(0, dtype=np.intp)] * len(scores)
    return _answers(scores, cosines, nothing, None, np.arange(len(scores)) % 2)


def _answers(
    scores: Floats,
    cosines: Floats,
    relevant: list[NDArray[np.intp]],
    own: NDArray[np.intp] | None,
    half: NDArray[np.int64],
) -> Answers:
    hidden = np.array(scores, dtype=np.float64)
    chance = np.array(cosines, dtype=np.float64)
    if own is not None:
        hidden[np.arange(len(own)), own] = -np.inf
        chance[np.arange(len(own)), own] = np.nan
    order = np.argsort(-hidden, axis=1, kind="stable")[:, :LOOKED_AT]
    order = order[:, : hidden.shape[1] - (own is not None)]
    return Answers(
        np.take_along_axis(hidden, order, axis=1),
        np.array([np.isin(rows, some) for rows, some in zip(order, relevant, strict=True)]),
        np.nanmean(chance, axis=1),
        half,
    )


def half_of(given: Answers, half: int) -> Answers:
    chosen = given.half == half
    return Answers(
        given.scores[chosen], given.relevant[chosen], given.background[chosen], given.half[chosen]
    )


def fit(training: list[Answers]) -> Floats:
    """
    Logistic regression by Newton's method; each set weighs the same.

    Returns:
        Constant, weight of the score, weight of the background.
    """
    features, targets, weights = [], [], []
    for given in training:
        scores = given.scores.ravel()
        chance = np.repeat(given.background, given.scores.shape[1])
        features.append(np.column_stack([np.ones(len(scores)), scores, chance]))
        targets.append(given.relevant.ravel().astype(np.float64))
        weights.append(np.full(len(scores), 1_000 / len(scores)))
    x, y, w = np.concatenate(features), np.concatenate(targets), np.concatenate(weights)
    found = np.zeros(x.shape[1])
    for _ in range(50):
        expected = probability(found, x)
        slope = x.T @ (w * (y - expected))
        curve = (x * (w * expected * (1 - expected))[:, None]).T @ x
        found = found + np.linalg.solve(curve + 1e-6 * np.eye(len(found)), slope)
    return np.asarray(found)


def probability(weights: Floats, features: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(features @ weights))))


def probabilities(weights: Floats, given: Answers) -> Floats:
    logits = weights[0] + weights[1] * given.scores + weights[2] * given.background[:, None]
    return np.asarray(1 / (1 + np.exp(-logits)))


def calibration_error(expected: Floats, relevant: NDArray[np.bool_]) -> float:
    """Mean distance between what is said and what is so, over ten equal ranges of what is said."""
    group = np.minimum((expected * 10).astype(int), 9).ravel()
    said = np.bincount(group, expected.ravel(), 10)
    so = np.bincount(group, relevant.ravel().astype(float), 10)
    return float(np.abs(said - so).sum() / expected.size)


def table(weights: Floats, sets: dict[str, Answers]) -> dict[str, Any]:
    """For each set: the calibration error, and for each cut-off what is left of ten hits."""
    found: dict[str, Any] = {}
    for name, given in sets.items():
        expected = probabilities(weights, given)
        ten, relevant = expected[:, :10], given.relevant[:, :10]
        rows = {}
        for cut in CUTS:
            kept = ten >= cut
            row = {"hits": kept.sum(axis=1).mean(), "no hit": (~kept.any(axis=1)).mean()}
            if relevant.any():
                row["precision"] = (kept & relevant).sum() / max(kept.sum(), 1)
                row["recall"] = (kept & relevant).sum() / relevant.sum()
            rows[str(cut)] = {key: round(float(value), 2) for key, value in row.items()}
        found[name] = {
            "error": round(calibration_error(expected, given.relevant), 3),
            "cut-offs": rows,
        }
    return found
