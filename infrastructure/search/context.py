"""
Late context: what the messages around a message say of it, when a query is answered.

A vector belongs to one text of one person, so no vector can mix what several people said. Here the
scores are mixed instead, and only for the candidates of one query with the messages around them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infrastructure.search.linking import (
    CHOSEN,
    NOBODY,
    NOTHING,
    Links,
    Spoken,
    Tuning,
    linked,
)

STEPS = 8  # as far as half a window
SEEDS = 100  # the best by themselves tell whether neighbours are worth listening to
NO_CARRY, FULL_CARRY = 0.08, 0.16  # chance stays below the one; conversations exceed the other
# Standard deviations: among few messages chance carries much, but never surely.
UNSURE, SURE = 2.0, 4.0
FEW = 1.0  # weighs against a carry that few links speak for

Scores = NDArray[np.float64]


class Carried(NamedTuple):
    """What neighbours say of the best rows."""

    # How much of what puts those above the background their neighbours share: 1 if all of it,
    # about 0 if neighbours are no nearer to the query than any message.
    share: float
    surety: float  # by how many standard deviations that is more than chance

    @property
    def opening(self) -> float:
        """How far neighbours are listened to, 0 to 1."""
        return min(ramp(self.share, NO_CARRY, FULL_CARRY), ramp(self.surety, UNSURE, SURE))


NOTHING_CARRIED = Carried(0.0, 0.0)


class Said(NamedTuple):
    """
    A message as far as its links go. Author None: the system speaks.

    `addresses` is whom its text begins by naming, as `addressed` has it; `answers` is the key of
    the message that it replies to.
    """

    key: int
    author: Hashable | None
    name: str
    at: float  # seconds
    addresses: int | None = None
    answers: int | None = None
    thread: Hashable | None = None


def stretches(windows: Sequence[Sequence[int]]) -> list[list[int]]:
    """
    Join windows that overlap: each message once, and neighbours only where they are so indeed.

    Args:
        windows: keys of messages that follow one another in a conversation, without a gap.
    """
    after: dict[int, int] = {}
    for window in windows:
        after.update(pairwise(window))
    followers = set(after.values())
    every = dict.fromkeys(key for window in windows for key in window)
    found = []
    for first in every:
        if first not in followers:
            stretch = [first]
            while (key := after.get(stretch[-1])) is not None:
                stretch.append(key)
            found.append(stretch)
    return found


def link(stretched: Iterable[Sequence[Said]], tuning: Tuning = CHOSEN) -> tuple[list[int], Links]:
    """
    Args:
        stretched: messages that follow one another, in stretches that share none.

    Returns:
        The messages' keys, a row each, and the links between the rows.
    """
    every = [(number, said) for number, stretch in enumerate(stretched) for said in stretch]
    authors = numbered(said.author for _, said in every)
    threads = numbered(said.thread for _, said in every)
    names = {authors[said.author]: said.name for _, said in every if said.author is not None}
    spoken = Spoken(
        stretches=column(number for number, _ in every),
        authors=column(authors.get(said.author, NOBODY) for _, said in every),
        at=np.array([said.at for _, said in every], dtype=np.float64),
        addressed=column(said.addresses or NOTHING for _, said in every),
        keys=column(said.key + 1 for _, said in every),  # 0 is nothing
        answers=column(NOTHING if s.answers is None else s.answers + 1 for _, s in every),
        threads=column(threads.get(said.thread, NOTHING - 1) + 1 for _, said in every),
        names=names,
    )
    return [said.key for _, said in every], linked(spoken, tuning)


def numbered(values: Iterable[Hashable | None]) -> dict[Hashable | None, int]:
    different = dict.fromkeys(value for value in values if value is not None)
    return {value: number for number, value in enumerate(different)}


def column(values: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(values, dtype=np.int64)


def in_context(
    scores: NDArray[np.floating],
    links: Links,
    *,
    background: float,
    seeds: int = SEEDS,
    tuning: Tuning = CHOSEN,
) -> Scores:
    """
    Scores in which linked messages have a say, as far as links carry anything for this query.

    Args:
        scores: shape (n,), each row's own: a cosine, or one raised by words.
        background: the score that a message has by chance: the query's mean over the workspace.

    Returns:
        Shape (n,), on the same scale, never above the best own score. A row without links keeps
        its own, and so do all where neighbours say no more than chance.
    """
    own = np.maximum(np.asarray(scores, dtype=np.float64), 0.0)
    lent = tuning.lent
    if tuning.is_gated:
        lent *= carry(own, links, background=background, seeds=seeds).opening
    if lent == 0.0:
        return np.asarray(scores, dtype=np.float64)
    powers = own**tuning.power
    n = len(own)
    total = np.bincount(links.one, links.weight, n) + np.bincount(links.other, links.weight, n)
    share = lent * total / (tuning.lonely + total)
    per_weight = 1.0 / np.maximum(total, 1e-12)
    current = powers
    for _ in range(STEPS):
        heard = np.bincount(links.one, links.weight * current[links.other], n)
        heard += np.bincount(links.other, links.weight * current[links.one], n)
        current = (1.0 - share) * powers + share * heard * per_weight
    # As it came where nobody has a say: a score below 0 stays below 0.
    return np.where(total > 0.0, current ** (1.0 / tuning.power), scores)


def carry(
    scores: NDArray[np.floating], links: Links, *, background: float, seeds: int = SEEDS
) -> Carried:
    """
    Args:
        scores: shape (n,).
        seeds: how many of the best rows are asked about.
    """
    if not len(links.weight):
        return NOTHING_CARRIED
    best = np.zeros(len(scores), dtype=bool)
    best[np.argsort(-scores, kind="stable")[:seeds]] = True
    above = np.asarray(scores, dtype=np.float64) - background
    shared = risen = squares = 0.0
    for near, far in ((links.one, links.other), (links.other, links.one)):
        counted = best[near]
        weights = links.weight[counted]
        shared += float(weights @ above[far[counted]])
        risen += float(weights @ np.maximum(above[near[counted]], 0.0))
        squares += float(weights @ weights)
    # As if each neighbour were any of the messages.
    deviation = np.sqrt(squares * float(np.mean(above**2)))
    surety = shared / deviation if deviation else np.copysign(np.inf, shared)
    return Carried(shared / (risen + FEW), float(surety))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to the one, 1 from the other on."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
