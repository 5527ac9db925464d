"""Late context over the candidates of a query, as a search would call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.sets import LabelledSet
from infrastructure.search.context import CHOSEN, Links, Tuning, in_context, link, stretches

Floats = NDArray[np.floating]
CANDIDATES = 100
AROUND = 8  # messages before and after each candidate
Relink = Callable[[list[int], Links], Links]


@dataclass(frozen=True)
class Neighbourhood:
    """The candidates of a query and what stands around them."""

    rows: list[int]
    links: Links
    background: float


def late(
    own: Floats,
    labelled: LabelledSet,
    *,
    is_strict: bool = False,
    tuning: Tuning = CHOSEN,
    candidates: int = CANDIDATES,
    around: int = AROUND,
    base: Floats | None = None,
    relink: Relink | None = None,
) -> NDArray[np.float64]:
    """
    Args:
        own: shape (queries, messages).
        is_strict: the query's own message is taken out of the archive, with all that it links.
        base: what tells of chance, if `own` does not.

    Returns:
        Shape (queries, messages). What is no candidate and not around one comes after all others.
    """
    around_all = neighbourhoods(
        own,
        labelled,
        is_strict=is_strict,
        tuning=tuning,
        candidates=candidates,
        around=around,
        base=base,
        relink=relink,
    )
    return scored(own, around_all, tuning=tuning, candidates=candidates)


def scored(
    own: Floats,
    around_all: list[Neighbourhood],
    *,
    tuning: Tuning = CHOSEN,
    candidates: int = CANDIDATES,
) -> NDArray[np.float64]:
    scores = np.minimum(own, 0.0).astype(np.float64) - 1.0
    for row, own_row, near in zip(scores, own, around_all, strict=True):
        row[near.rows] = in_context(
            own_row[near.rows].astype(np.float64),
            near.links,
            background=near.background,
            seeds=candidates,
            tuning=tuning,
        )
    return scores


def neighbourhoods(
    own: Floats,
    labelled: LabelledSet,
    *,
    is_strict: bool = False,
    tuning: Tuning = CHOSEN,
    candidates: int = CANDIDATES,
    around: int = AROUND,
    base: Floats | None = None,
    relink: Relink | None = None,
) -> list[Neighbourhood]:
    """One for each query."""
    found = []
    for query, row in enumerate(own):
        asked = None if labelled.own is None else int(labelled.own[query])
        left_out = asked if is_strict else None
        chance = row if base is None else base[query]
        total = float(chance.sum()) - (0.0 if asked is None else float(chance[asked]))
        order = np.argsort(-row, kind="stable")[: candidates + 1]
        best = [int(at) for at in order if at != left_out][:candidates]
        windows = around_each(best, labelled, around, left_out)
        rows, links = link(
            ([labelled.said[at] for at in stretch] for stretch in stretches(windows)), tuning
        )
        links = links if relink is None else relink(rows, links)
        found.append(Neighbourhood(rows, links, total / (len(chance) - (asked is not None))))
    return found


def around_each(
    rows: list[int], labelled: LabelledSet, around: int, left_out: int | None
) -> list[list[int]]:
    """Messages lie in the order of their conversations: a window is a slice."""
    assert labelled.conversation is not None
    conversation = labelled.conversation
    windows = []
    for row in rows:
        near = range(max(0, row - around - 1), min(len(conversation), row + around + 2))
        inside = [at for at in near if conversation[at] == conversation[row] and at != left_out]
        place = inside.index(row)
        windows.append(inside[max(0, place - around) : place + around + 1])
    return windows


def gold(replies: dict[int, list[int]]) -> Relink:
    """Instead of the links found, those that annotators saw: what perfect reply links would do."""

    def relink(rows: list[int], _links: Links) -> Links:
        place = {row: at for at, row in enumerate(rows)}
        pairs = [
            (place[parent], place[row])
            for row in rows
            for parent in replies.get(row, [])
            if parent in place and parent != row
        ]
        both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        return Links(both[:, 0], both[:, 1], np.ones(len(both)))

    return relink


def near_in_time(own: Floats, labelled: LabelledSet, kernel: list[float]) -> Floats:
    """
    The simplest late context: a weighted mean with the scores of the next messages.

    Args:
        kernel: weights of the message itself, the next ones, those after that, and so on.
    """
    conversation = labelled.conversation
    assert conversation is not None
    total = np.full(own.shape[1], kernel[0])
    summed = own * kernel[0]
    for distance, weight in enumerate(kernel[1:], start=1):
        same = conversation[distance:] == conversation[:-distance]
        summed[:, distance:] += weight * own[:, :-distance] * same
        summed[:, :-distance] += weight * own[:, distance:] * same
        total[distance:] += weight * same
        total[:-distance] += weight * same
    return summed / total


def raised(own: Floats, labelled: LabelledSet, decay: float, around: int) -> Floats:
    """The best neighbour's score, decayed with each step, where it is more than the own."""
    conversation = labelled.conversation
    assert conversation is not None
    best = own.copy()
    for distance in range(1, around + 1):
        same = conversation[distance:] == conversation[:-distance]
        lent = own * decay**distance
        best[:, distance:] = np.maximum(best[:, distance:], np.where(same, lent[:, :-distance], -1))
        best[:, :-distance] = np.maximum(
            best[:, :-distance], np.where(same, lent[:, distance:], -1)
        )
    return best


def without_query(own: Floats, labelled: LabelledSet) -> Floats:
    """For the simple forms above: the query's message scores nothing and lends nothing."""
    assert labelled.own is not None
    strict = own.copy()
    strict[np.arange(len(own)), labelled.own] = 0.0
    return strict
