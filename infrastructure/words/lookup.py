"""The words of one query, looked up once, in an index as it was then."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infrastructure.words.ranking import Term, among, best_of, bm25, having_each, times_at
from infrastructure.words.segment import Rows, Segment

Ids = NDArray[np.int64]
Kept = Sequence[NDArray[np.bool_]]  # by segment and place in it: who may be found


class Scored(NamedTuple):
    """Both of shape (found,), best first; of equals the latest message first."""

    ids: Ids
    scores: NDArray[np.float32]


class Worth(NamedTuple):
    """What a query's words are worth in some messages; 0 where none of them stands."""

    impacts: NDArray[np.float64]  # shape (messages,): BM25
    held: NDArray[np.float64]  # shape (messages,): the weights of those words that stand there
    ideal: float  # the weights of all the words


class Part(NamedTuple):
    """A segment, and who of it was there."""

    segment: Segment
    alive: NDArray[np.bool_]
    limit: int  # messages of it, from its first one, that are looked at


class Lookup:
    """
    Args:
        numbers: of the forms of each word of the query.
    """

    def __init__(self, parts: Sequence[Part], numbers: Sequence[Sequence[int]]) -> None:
        self._parts = parts
        every = np.array(list(chain.from_iterable(numbers)), dtype=np.int32)
        found = [postings(part, every) for part in parts]
        self._total = sum(int(np.count_nonzero(part.alive[: part.limit])) for part in parts)
        said = sum(part.limit for part in parts)
        words = sum(int(part.segment.total_lengths[part.limit]) for part in parts)
        # What is gone is not taken off: it is little, until its segment is merged.
        self._average = words / said if words else 1.0
        having = having_any(parts, found, len(every))
        self._weights = []
        self._words: list[list[list[Term]]] = [[] for _ in parts]
        at = 0
        for same in numbers:
            weight = self._weight(sum(having[at : at + len(same)]))
            self._weights.append(weight)
            for words_of_part, terms in zip(self._words, found, strict=True):
                words_of_part.append([Term(*term, weight) for term in terms[at : at + len(same)]])
            at += len(same)

    def kept_of(self, allowed: Ids) -> Kept:
        """Only these messages, which ascend."""
        return [kept_of(part, allowed) for part in self._parts]

    def kept_where(self, is_kept: NDArray[np.bool_], table: Rows) -> Kept:
        """
        Only some of the rows of a table.

        Args:
            is_kept: by row; what is beyond its end is not kept.
        """
        return [part.alive & taken(is_kept, part.segment.rows_in(table)) for part in self._parts]

    def best(
        self, k: int, *, kept: Kept | None = None, groups: Sequence[Sequence[int]] = ()
    ) -> Scored:
        """
        The messages that have any of the words, by BM25.

        Args:
            kept: who may be found; None: all may. Words are weighed by how many messages have
                them, those that may not be found included.
            groups: places of words in the query: a message must have one word of each group.
        """
        if not self._total or k < 1:
            return NOTHING
        found = []
        if kept is None:
            kept = [part.alive for part in self._parts]
        for part, words, is_kept in zip(self._parts, self._words, kept, strict=True):
            best = best_of(part.segment, words, self._average, k, is_kept=is_kept, groups=groups)
            found.append(Scored(part.segment.ids[best.places], best.scores))
        ids = np.concatenate([one.ids for one in found])
        scores = np.concatenate([one.scores for one in found])
        order = np.lexsort((-ids, -scores))[:k]
        return Scored(ids[order], scores[order])

    def having(self, groups: Sequence[Sequence[int]] = ()) -> Ids:
        """
        All messages that have any of the words, ascending.

        Args:
            groups: as in `best`.
        """
        ids = []
        for part, words in zip(self._parts, self._words, strict=True):
            needed = [
                [term for place in group for term in words[place]] for group in groups if group
            ]
            found = having_each(needed or [list(chain.from_iterable(words))], len(part.segment))
            ids.append(part.segment.ids[found[part.alive[found]]])
        return np.sort(np.concatenate(ids)) if ids else NOTHING.ids

    def worth(self, ids: Ids) -> Worth:
        """
        Args:
            ids: of messages; any order, each once.
        """
        impacts = np.zeros(len(ids))
        held = np.zeros(len(ids))
        if not self._total:
            return Worth(impacts, held, 0.0)
        for part, words in zip(self._parts, self._words, strict=True):
            rows, places = part.segment.places_of(ids, part.alive)
            if not len(rows):
                continue
            lengths = part.segment.lengths[places]
            for terms, weight in zip(words, self._weights, strict=True):
                is_held = np.zeros(len(rows), dtype=np.bool_)
                for term in terms:
                    times = times_at(term, places)
                    impacts[rows] += bm25(times, lengths, weight, self._average)
                    is_held |= times > 0
                held[rows] += weight * is_held
        return Worth(impacts, held, float(sum(self._weights)))

    def _weight(self, having: int) -> float:
        """Inverse document frequency, as Lucene has it: never negative."""
        having = min(having, self._total)
        return float(np.log1p((self._total - having + 0.5) / (having + 0.5)))


NOTHING = Scored(np.empty(0, np.int64), np.empty(0, np.float32))
Postings = tuple[NDArray[np.int32], NDArray[np.uint8]]


def postings(part: Part, numbers: NDArray[np.int32]) -> list[Postings]:
    found = part.segment.postings(numbers)
    if part.limit == len(part.segment):
        return found
    ends = [int(np.searchsorted(places, part.limit)) for places, _ in found]
    return [(places[:end], counts[:end]) for (places, counts), end in zip(found, ends, strict=True)]


def having_any(parts: Sequence[Part], found: Sequence[Sequence[Postings]], count: int) -> list[int]:
    """How many messages have each of the words."""
    having = [0] * count
    for part, terms in zip(parts, found, strict=True):
        gone = np.flatnonzero(~part.alive).astype(np.int32)
        for place, (places, _) in enumerate(terms):
            having[place] += len(places)
            if len(gone):
                having[place] -= int(np.count_nonzero(among(gone, [places])))
    return having


def taken(is_kept: NDArray[np.bool_], rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Of each row whether it is kept; below 0 and beyond the end nothing is."""
    if not len(is_kept):
        return np.zeros(len(rows), np.bool_)
    found: NDArray[np.bool_] = np.take(is_kept, rows, mode="clip")
    return found & (rows >= 0) & (rows < len(is_kept))


def kept_of(part: Part, allowed: Ids) -> NDArray[np.bool_]:
    """By place in the segment."""
    is_kept = np.zeros(len(part.segment), dtype=np.bool_)
    _, places = part.segment.places_of(allowed, part.alive)
    is_kept[places] = True
    return is_kept
