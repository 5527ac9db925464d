"""Reciprocal rank fusion: two rankings become one, whatever their scores mean."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

K = 60  # Cormack, Clarke and Büttcher 2009: dampens the first few ranks

Item = TypeVar("Item", bound=Hashable)


def fuse(*rankings: Sequence[Item]) -> list[tuple[Item, float]]:
    """
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
