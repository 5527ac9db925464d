"""The best messages of one segment by BM25, without looking at all that have the query's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infrastructure.words.segment import Segment

# Robertson and Zaragoza 2009: how soon a word that is repeated says no more, and how much a long
# message has to have it more often than a short one. Chosen in docs/search-quality.md.
K1 = 1.2
B = 0.75
# Where fewer messages are left to be looked at, it is not worth asking who can still be among the
# best.
WORTH_ASKING = 20_000
# From so large a share on, messages are gathered from one sum a message, and not sorted.
DENSE_SHARE = 0.05
ROUNDING = 1e-4

Places = NDArray[np.int32]  # of messages in a segment
Floats = NDArray[np.float32]


class Best(NamedTuple):
    """Both of shape (found,): places in a segment, and what is said of each."""

    places: Places
    scores: Floats


class Term(NamedTuple):
    """A word of a query, and the messages of a segment that have it, ascending."""

    places: Places
    counts: NDArray[np.uint8]
    weight: float

    def bound(self) -> float:
        """More than it can be worth in any message."""
        if not len(self.counts):
            return 0.0
        times = float(self.counts.max())
        return self.weight * (K1 + 1) * times / (times + K1 * (1 - B))


def terms_of(
    segment: Segment, limit: int, numbers: Sequence[Sequence[int]], weights: Sequence[float]
) -> list[list[Term]]:
    """
    For each word of the query its forms.

    Args:
        limit: how many messages of the segment, from its first one, are looked at.
    """
    return [
        [term_of(segment, limit, number, weight) for number in same]
        for same, weight in zip(numbers, weights, strict=True)
    ]


def term_of(segment: Segment, limit: int, number: int, weight: float) -> Term:
    places, counts = segment.postings(number)
    end = int(np.searchsorted(places, limit))
    return Term(places[:end], counts[:end], weight)


def best_of(
    segment: Segment,
    words: Sequence[Sequence[Term]],
    average: float,
    k: int,
    *,
    is_kept: NDArray[np.bool_],
    groups: Sequence[Sequence[int]],
) -> Best:
    """
    The best k messages; of those that are equally good the latest.

    Args:
        words: as `terms_of` gives them.
        average: words in a message.
        is_kept: shape (len(segment),): who may be found.
        groups: places in words: a message must have one word of each group.
    """
    terms = [term for same in words for term in same if len(term.places)]
    needed = [[term for place in group for term in words[place]] for group in groups if group]
    if needed:
        places = having_each(needed, len(segment))
        places = places[is_kept[places]]
        found = Best(places, summed_at(segment, places, terms, average))
    else:
        found = gathered(segment, terms, average, k, is_kept)
    places = best_places(found, k)
    # Added up in one order, however they were found: equal messages have equal scores.
    return Best(places, summed_at(segment, places, terms, average))


def best_places(found: Best, k: int) -> Places:
    """Of messages that are equally good the latest."""
    places, scores = found
    if len(places) <= k:
        return places
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    better, equal = places[scores > least], places[scores == least]
    return np.sort(np.concatenate([better, equal[len(better) - k :]]))


def gathered(
    segment: Segment, terms: Sequence[Term], average: float, k: int, is_kept: NDArray[np.bool_]
) -> Best:
    """
    Those that have any of the words. Rare words come first: once k messages are worth more than
    all further words together, nobody needs to look for who has only those (Turtle and Flood
    1995: MaxScore).
    """
    bounded = sorted(((term.bound(), term) for term in terms), key=lambda pair: -pair[0])
    ordered = [term for _, term in bounded]
    # What the words from each on can be worth together, and in how many messages they stand.
    rests = np.cumsum([bound for bound, _ in reversed(bounded)])[::-1].tolist()
    sizes = np.cumsum([len(term.places) for term in reversed(ordered)])[::-1].tolist()
    sums = np.zeros(len(segment), dtype=np.float32)
    seen: list[Places] = []
    for number, term in enumerate(ordered):
        if seen and sizes[number] > WORTH_ASKING:
            places = union(seen, len(segment))
            places = places[is_kept[places]]
            if len(places) >= k:
                partial = sums[places]
                least = np.partition(partial, len(partial) - k)[len(partial) - k]
                least *= 1 - ROUNDING
                if least > rests[number]:
                    hopeful = places[partial + rests[number] >= least]
                    scores = sums[hopeful]
                    scores += summed_at(segment, hopeful, ordered[number:], average)
                    return Best(hopeful, scores)
        lengths = segment.lengths[term.places]
        sums[term.places] += bm25(term.counts, lengths, term.weight, average)
        seen.append(term.places)
    places = union(seen, len(segment))
    places = places[is_kept[places]]
    return Best(places, sums[places])


def summed_at(segment: Segment, places: Places, terms: Iterable[Term], average: float) -> Floats:
    """What the words are worth in some messages."""
    scores = np.zeros(len(places), dtype=np.float32)
    lengths = segment.lengths[places]
    for term in terms:
        if len(term.places):
            rows = np.minimum(np.searchsorted(term.places, places), len(term.places) - 1)
            times = np.where(term.places[rows] == places, term.counts[rows], np.uint8(0))
            scores += bm25(times, lengths, term.weight, average)
    return scores


def having_each(groups: Sequence[Sequence[Term]], size: int) -> Places:
    """The messages that have a word of each group, the rarest looked for first."""
    ordered = sorted(groups, key=lambda terms: sum(len(term.places) for term in terms))
    found = union([term.places for term in ordered[0]], size)
    for terms in ordered[1:]:
        found = found[among(found, [term.places for term in terms])]
    return found


def union(parts: Sequence[Places], size: int) -> Places:
    """Ascending, each once. Each part is ascending."""
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return parts[0] if parts else np.empty(0, np.int32)
    if sum(map(len, parts)) < DENSE_SHARE * size:
        return np.unique(np.concatenate(parts))
    is_there = np.zeros(size, dtype=np.bool_)
    for part in parts:
        is_there[part] = True
    return np.flatnonzero(is_there).astype(np.int32)


def among(places: Places, having: Sequence[Places]) -> NDArray[np.bool_]:
    """Which of these are in any of the other arrays; all are ascending."""
    found = np.zeros(len(places), dtype=np.bool_)
    for others in having:
        if len(others):
            rows = np.minimum(np.searchsorted(others, places), len(others) - 1)
            found |= others[rows] == places
    return found


def bm25(
    counts: NDArray[np.uint8], lengths: NDArray[np.int32], weight: float, average: float
) -> Floats:
    """
    What a word is worth in messages: its weight where it stands once in one of average length.

    Args:
        counts, lengths: shape (messages,).
    """
    times = counts.astype(np.float32)
    norms = lengths.astype(np.float32)
    norms *= K1 * B / average
    norms += K1 * (1 - B) + times
    times *= weight * (K1 + 1)
    times /= norms
    return times
