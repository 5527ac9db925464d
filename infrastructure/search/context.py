"""
Late context: what the messages around a message say of it, when a query is answered.

A vector belongs to one text of one person, so no vector can mix what several people said. Here the
scores are mixed instead, and only for the candidates of one query with the messages around them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infrastructure.columns.addressing import token

LONGEST_PAUSE = 3_600.0  # seconds: later, it is another occasion
STEPS = 8  # as far as half a window
SEEDS = 100  # the best by themselves tell whether neighbours are worth listening to
NO_CARRY, FULL_CARRY = 0.08, 0.16  # chance stays below the one; conversations exceed the other
FEW = 1.0  # weighs against a carry that few links speak for

Scores = NDArray[np.float64]


class Tuning(NamedTuple):
    """docs/search-quality.md has the measurements behind these."""

    next: float = 0.2  # weight of merely standing next
    same_author: float = 1.0
    addressed: float = 1.0
    power: float = 4.0  # one neighbour that is near says more than four that are not
    lent: float = 0.85  # of a well-linked message's score, what its neighbours decide at most
    lonely: float = 0.1  # total weight of links at which they decide half of that
    is_gated: bool = True  # as far as neighbours say more than chance


CHOSEN = Tuning()


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


class Links(NamedTuple):
    """Undirected: arrays of one length, each pair of rows once."""

    one: NDArray[np.intp]
    other: NDArray[np.intp]
    weight: Scores  # above 0


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
    Who follows whom, who goes on, who is addressed by name, who is answered.

    Args:
        stretched: messages that follow one another, in stretches that share none.

    Returns:
        The messages' keys, a row each, and the links between the rows.
    """
    keys: list[int] = []
    pairs: dict[tuple[int, int], float] = {}
    for stretch in stretched:
        for (one, other), weight in _pairs(stretch, tuning).items():
            pairs[len(keys) + one, len(keys) + other] = weight
        keys += [said.key for said in stretch]
    rows = np.array(list(pairs), dtype=np.intp).reshape(-1, 2)
    weights = np.fromiter(pairs.values(), dtype=np.float64, count=len(pairs))
    return keys, Links(rows[:, 0], rows[:, 1], weights)


def _pairs(stretch: Sequence[Said], tuning: Tuning) -> dict[tuple[int, int], float]:
    called = _names(stretch)
    places = {said.key: place for place, said in enumerate(stretch)}
    latest: dict[Hashable, int] = {}
    threads: dict[Hashable, int] = {}
    pairs: dict[tuple[int, int], float] = {}
    for place, said in enumerate(stretch):
        linked = [(place - 1, tuning.next)] if place else []
        if said.author is not None:
            linked.append((latest.get(said.author, -1), tuning.same_author))
            meant = called.get(said.addresses)
            if meant is not None and meant != said.author:
                linked.append((latest.get(meant, -1), tuning.addressed))
            latest[said.author] = place
        if said.thread is not None:
            linked.append((threads.get(said.thread, -1), 1.0))
            threads[said.thread] = place
        for earlier, weight in linked:
            if earlier >= 0 and weight > 0 and said.at - stretch[earlier].at <= LONGEST_PAUSE:
                pairs[earlier, place] = max(weight, pairs.get((earlier, place), 0.0))
        # Who answers in so many words may do so the next day.
        answered = places.get(said.answers, place) if said.answers is not None else place
        if answered != place:
            pairs[min(answered, place), max(answered, place)] = 1.0
    return pairs


def _names(stretch: Sequence[Said]) -> dict[int | None, Hashable]:
    """By the names' tokens: full names, and first names where only one person here has them."""
    full = {said.name.casefold(): said.author for said in stretch if said.author is not None}
    firsts = Counter(name.split()[0] for name in full if name.strip())
    short = {
        name.split()[0]: author
        for name, author in full.items()
        if name.strip() and firsts[name.split()[0]] == 1
    }
    return {token(name): author for name, author in (*short.items(), *full.items())}


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
        lent *= _opening(carry(own, links, background=background, seeds=seeds))
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
) -> float:
    """
    How much of what puts the best rows above the background their neighbours share: 1 if all of
    it, about 0 if neighbours are no nearer to the query than any message.
    """
    if not len(links.weight):
        return 0.0
    best = np.zeros(len(scores), dtype=bool)
    best[np.argsort(-scores, kind="stable")[:seeds]] = True
    above = np.asarray(scores, dtype=np.float64) - background
    shared = risen = 0.0
    for near, far in ((links.one, links.other), (links.other, links.one)):
        counted = best[near]
        weights = links.weight[counted]
        shared += float(weights @ above[far[counted]])
        risen += float(weights @ np.maximum(above[near[counted]], 0.0))
    return shared / (risen + FEW)


def _opening(carried: float) -> float:
    """0 to 1."""
    return min(1.0, max(0.0, (carried - NO_CARRY) / (FULL_CARRY - NO_CARRY)))
