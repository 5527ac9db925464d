"""Who talks to whom, told by columns: who follows whom, goes on, is named, is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infrastructure.columns.addressing import token

LONGEST_PAUSE = 3_600.0  # seconds: later, it is another occasion
NOBODY = -1  # the system speaks
NOTHING = 0  # no thread, nobody named, nothing answered

Numbers = NDArray[np.int64]


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


class Spoken(NamedTuple):
    """
    Messages in stretches in which they follow one another: arrays of one length, in order.
    """

    stretches: Numbers  # which of them each belongs to, ascending
    authors: Numbers  # NOBODY: the system
    at: NDArray[np.float64]  # seconds
    addressed: Numbers  # whom its text begins by naming, see `addressed`; or NOTHING
    keys: Numbers
    answers: Numbers  # the key of what it answers, or NOTHING
    threads: Numbers  # or NOTHING
    names: Mapping[int, str]  # by author; needed where anybody is named


class Links(NamedTuple):
    """Undirected: arrays of one length, each pair of rows once."""

    one: NDArray[np.intp]
    other: NDArray[np.intp]
    weight: NDArray[np.float64]  # above 0


def linked(spoken: Spoken, tuning: Tuning = CHOSEN) -> Links:
    """The links between the messages, by their places; the earlier one first."""
    count = len(spoken.at)
    rows = np.arange(count)
    is_said = spoken.authors != NOBODY
    found = [
        (rows[1:] - 1, rows[1:], tuning.next, spoken.stretches[1:] == spoken.stretches[:-1]),
        (*before(spoken.stretches, spoken.authors, is_said), tuning.same_author, None),
        (*before(spoken.stretches, spoken.threads, spoken.threads != NOTHING), 1.0, None),
        (*named(spoken, is_said), tuning.addressed, None),
    ]
    pairs: list[Numbers] = []
    weights: list[NDArray[np.float64]] = []
    for earlier, later, weight, is_pair in found:
        is_soon = spoken.at[later] - spoken.at[earlier] <= LONGEST_PAUSE
        if is_pair is not None:
            is_soon &= is_pair
        if weight > 0:
            pairs.append((earlier * count + later)[is_soon])
            weights.append(np.full(len(pairs[-1]), weight))
    # Who answers in so many words may do so the next day.
    one, other = answered(spoken)
    pairs.append(one * count + other)
    weights.append(np.ones(len(one)))
    return strongest(np.concatenate(pairs), np.concatenate(weights), count)


def strongest(pairs: Numbers, weights: NDArray[np.float64], count: int) -> Links:
    """Each pair once, with the greatest of its weights."""
    if not len(pairs):
        nothing = np.empty(0, np.intp)
        return Links(nothing, nothing, np.empty(0))
    order = np.argsort(pairs, kind="stable")
    ordered = pairs[order]
    firsts = np.flatnonzero(np.diff(ordered, prepend=-1))
    unique = ordered[firsts]
    return Links(unique // count, unique % count, np.maximum.reduceat(weights[order], firsts))


def before(
    stretches: Numbers, values: Numbers, is_asked: NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """For each row the last one before it in its stretch with the same value: earlier, later."""
    rows = np.flatnonzero(is_asked)
    order = np.lexsort((rows, values[rows], stretches[rows]))
    ordered = rows[order]
    is_same = (values[ordered[1:]] == values[ordered[:-1]]) & (
        stretches[ordered[1:]] == stretches[ordered[:-1]]
    )
    return ordered[:-1][is_same], ordered[1:][is_same]


def named(spoken: Spoken, is_said: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """For each message that names somebody the last one that they said before it."""
    asking = np.flatnonzero(is_said & (spoken.addressed != NOTHING))
    by_stretch: dict[int, dict[int, int]] = {}
    meant = np.full(len(asking), NOBODY)
    for number, row in enumerate(asking.tolist()):
        stretch = int(spoken.stretches[row])
        if stretch not in by_stretch:
            first, end = np.searchsorted(spoken.stretches, [stretch, stretch + 1])
            authors = set(spoken.authors[first:end].tolist()) - {NOBODY}
            by_stretch[stretch] = called(authors, spoken.names)
        meant[number] = by_stretch[stretch].get(int(spoken.addressed[row]), NOBODY)
    is_other = (meant != NOBODY) & (meant != spoken.authors[asking])
    asking, meant = asking[is_other], meant[is_other]
    said = np.flatnonzero(is_said)
    # Numbers that ascend with stretch, author and place, of those who speak and of those asked for.
    count, authors_end = len(spoken.at), int(spoken.authors.max(initial=0)) + 1
    places = (spoken.stretches[said] * authors_end + spoken.authors[said]) * count + said
    order = np.argsort(places)
    wanted = spoken.stretches[asking] * authors_end + meant
    found = np.searchsorted(places[order], wanted * count + asking) - 1
    is_there = found >= 0
    earlier = said[order[np.maximum(found, 0)]] if len(said) else np.empty(0, np.int64)
    if len(earlier):
        is_there &= places[order[np.maximum(found, 0)]] // count == wanted
    return earlier[is_there], asking[is_there]


def called(authors: Iterable[int], names: Mapping[int, str]) -> dict[int, int]:
    """By the names' tokens: full names, and first names where only one person here has them."""
    full = {names.get(author, "").casefold(): author for author in sorted(authors)}
    firsts = Counter(name.split()[0] for name in full if name.strip())
    short = {
        name.split()[0]: author
        for name, author in full.items()
        if name.strip() and firsts[name.split()[0]] == 1
    }
    return {token(name): author for name, author in (*short.items(), *full.items())}


def answered(spoken: Spoken) -> tuple[Numbers, Numbers]:
    """What is answered within its stretch, and the answer, the earlier one first."""
    asking = np.flatnonzero(spoken.answers != NOTHING)
    if not len(asking):
        return asking, asking
    keys = zip(spoken.stretches.tolist(), spoken.keys.tolist(), strict=True)
    places = {key: place for place, key in enumerate(keys)}
    pairs = [
        (places.get((int(spoken.stretches[row]), int(spoken.answers[row])), row), row)
        for row in asking.tolist()
    ]
    found = np.array([sorted(pair) for pair in pairs if pair[0] != pair[1]], dtype=np.int64)
    found = found.reshape(-1, 2)
    return found[:, 0], found[:, 1]
