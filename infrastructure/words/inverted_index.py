"""The words of one workspace in memory, ranked by BM25."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infrastructure.read_write_lock import ReadWriteLock
from infrastructure.words.ranking import among, best_of, bm25, having_each, terms_of
from infrastructure.words.segment import MOST_OFTEN, Counted, Segment, build, merged
from infrastructure.words.vocabulary import Vocabulary

# Small segments are merged soon, large ones seldom: a message is moved about as often as the
# archive grows by this factor.
TIER = 4
SMALLEST = 4_096  # messages
MOST_BEGUN = 500  # words that a beginning stands for

Lexemes = Sequence[tuple[str, int]]  # each word of a message, and how often


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Words of which any stands for one word of a query, such as its form in each language."""

    words: tuple[str, ...]
    beginnings: tuple[str, ...] = ()


class Scored(NamedTuple):
    """Both of shape (found,), best first; of equals the latest message first."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]


class Worth(NamedTuple):
    """What a query's words are worth in some messages; 0 where none of them stands."""

    impacts: NDArray[np.float64]  # shape (messages,): BM25
    held: NDArray[np.float64]  # shape (messages,): the weights of those words that stand there
    ideal: float  # the weights of all the words


class InvertedIndex:
    """Safe to use from several threads: searches run side by side, a change runs alone."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self._segments: list[Segment] = []
        self._lock = ReadWriteLock()

    def __len__(self) -> int:
        return sum(len(segment) - segment.dead for segment in self._segments)

    @property
    def memory_bytes(self) -> int:
        """About: what the arrays take, and some 100 bytes for each word."""
        return sum(s.memory_bytes for s in self._segments) + 100 * len(self.vocabulary)

    def add(self, messages: Iterable[tuple[int, Lexemes]]) -> None:
        """Add messages, or tell them anew: of equal ids the last counts."""
        last = dict(messages)
        if not last:
            return
        fresh = build(self._count(last))
        with self._lock.writing():
            self._bury(fresh.ids)
            self._segments = [*self._segments, fresh]
        # Nobody else changes them: searches go on meanwhile with those that there are.
        segments = tiered(self._segments)
        with self._lock.writing():
            self._segments = segments

    def remove(self, ids: Iterable[int]) -> int:
        """Remove what is there of these messages; return how many that were."""
        gone = np.unique(np.fromiter(ids, dtype=np.int64))
        with self._lock.writing():
            return self._bury(gone)

    def search(
        self,
        asked: Sequence[Alternatives],
        k: int,
        *,
        below: int | None = None,
        allowed: NDArray[np.int64] | None = None,
        groups: Sequence[Sequence[int]] = (),
    ) -> Scored:
        """
        The messages that have any of the words, by BM25.

        Args:
            asked: one for each word of the query.
            groups: places in `asked`: a message must have one word of each group.
            below: only messages with lower ids are looked at and counted; None: all are.
            allowed: only these may be found, ascending; None: all may. Words are weighed by how
                many messages have them, those that may not be found included.
        """
        numbers = [self._numbers(alternatives) for alternatives in asked]
        with self._lock.reading():
            limits = [limit_of(segment, below) for segment in self._segments]
            total = sum(int(s.alive[:n].sum()) for s, n in zip(self._segments, limits, strict=True))
            if not total or k < 1:
                return NOTHING
            words = sum(
                int(s.total_lengths[n]) for s, n in zip(self._segments, limits, strict=True)
            )
            # What is gone is not taken off: it is little, until its segment is merged.
            said = sum(limits)
            average = words / said if words else 1.0
            weights = [self._weight(found, limits, total) for found in numbers]
            parts = []
            for segment, limit in zip(self._segments, limits, strict=True):
                found = best_of(
                    segment,
                    terms_of(segment, limit, numbers, weights),
                    average,
                    k,
                    is_kept=who_is_kept(segment, allowed),
                    groups=groups,
                )
                parts.append(Scored(segment.ids[found.places], found.scores))
        return best(parts, k)

    def having(
        self,
        asked: Sequence[Alternatives],
        *,
        below: int | None = None,
        groups: Sequence[Sequence[int]] = (),
    ) -> NDArray[np.int64]:
        """
        All messages that have any of the words, ascending.

        Args:
            below, groups: as in `search`.
        """
        numbers = [self._numbers(alternatives) for alternatives in asked]
        weights = [0.0] * len(numbers)
        ids = []
        with self._lock.reading():
            for segment in self._segments:
                words = terms_of(segment, limit_of(segment, below), numbers, weights)
                needed = [[t for place in group for t in words[place]] for group in groups if group]
                found = having_each(needed or [list(chain.from_iterable(words))], len(segment))
                ids.append(segment.ids[found[segment.alive[found]]])
        return np.sort(np.concatenate(ids)) if ids else np.empty(0, np.int64)

    def worth(
        self, asked: Sequence[Alternatives], ids: NDArray[np.int64], *, below: int | None = None
    ) -> Worth:
        """
        Args:
            ids: of messages; any order, each once.
            below: as in `search`.
        """
        numbers = [self._numbers(alternatives) for alternatives in asked]
        impacts = np.zeros(len(ids))
        held = np.zeros(len(ids))
        with self._lock.reading():
            limits = [limit_of(segment, below) for segment in self._segments]
            total = sum(int(s.alive[:n].sum()) for s, n in zip(self._segments, limits, strict=True))
            if not total:
                return Worth(impacts, held, 0.0)
            weights = [self._weight(found, limits, total) for found in numbers]
            average = self._average_length(limits)
            for segment in self._segments:
                rows, places = segment.places_of(ids)
                lengths = segment.lengths[places]
                for found, weight in zip(numbers, weights, strict=True):
                    is_held = np.zeros(len(rows), dtype=np.bool_)
                    for number in found:
                        times = segment.times(number, places)
                        impacts[rows] += bm25(times, lengths, weight, average)
                        is_held |= times > 0
                    held[rows] += weight * is_held
        return Worth(impacts, held, float(sum(weights)))

    def count(self, alternatives: Alternatives) -> int:
        """How many messages have any of them; one that has several may be counted for each."""
        with self._lock.reading():
            return sum(
                int(segment.alive[segment.postings(number)[0]].sum())
                for segment in self._segments
                for number in self._numbers(alternatives)
            )

    def meant(self, alternatives: Alternatives) -> list[str]:
        """The words that were probably meant by those that no message has; else none."""
        if alternatives.beginnings or self.count(alternatives):
            return []
        near = (word for asked in alternatives.words for word in self.vocabulary.near(asked))
        return [word for word in dict.fromkeys(near) if self.count(Alternatives((word,)))]

    def _numbers(self, alternatives: Alternatives) -> list[int]:
        known = self.vocabulary.numbers
        found = dict.fromkeys(known[word] for word in alternatives.words if word in known)
        for beginning in alternatives.beginnings:
            found |= dict.fromkeys(self._most_used(self.vocabulary.beginning_with(beginning)))
        return list(found)

    def _most_used(self, numbers: list[int]) -> list[int]:
        """A short beginning is that of very many words, of which most are used hardly ever."""
        if len(numbers) <= MOST_BEGUN:
            return numbers
        asked = np.array(numbers, dtype=np.int32)
        used = sum(segment.sizes(asked) for segment in self._segments)
        kept = np.argsort(-np.asarray(used), kind="stable")[:MOST_BEGUN]
        return [numbers[place] for place in kept.tolist()]

    def _average_length(self, limits: Sequence[int]) -> float:
        """What is gone is not taken off: it is little, until its segment is merged."""
        words = sum(int(s.total_lengths[n]) for s, n in zip(self._segments, limits, strict=True))
        return words / sum(limits) if words else 1.0

    def _weight(self, numbers: Sequence[int], limits: Sequence[int], total: int) -> float:
        """Inverse document frequency, as Lucene has it: never negative."""
        having = 0
        for segment, limit in zip(self._segments, limits, strict=True):
            for number in numbers:
                documents = segment.postings(number)[0]
                documents = documents[: int(np.searchsorted(documents, limit))]
                having += len(documents)
                if segment.dead:
                    having -= int(among(segment.gone(), [documents]).sum())
        having = min(having, total)
        return float(np.log1p((total - having + 0.5) / (having + 0.5)))

    def _bury(self, ids: NDArray[np.int64]) -> int:
        return sum(segment.bury(ids) for segment in self._segments)

    def _count(self, messages: dict[int, Lexemes]) -> Counted:
        number = self.vocabulary.number
        ids = sorted(messages)
        terms: list[int] = []
        counts: list[int] = []
        sizes: list[int] = []
        lengths: list[int] = []
        for id_ in ids:
            lexemes = messages[id_]
            terms += [number(word) for word, _ in lexemes]
            counts += [min(count, MOST_OFTEN) for _, count in lexemes]
            sizes.append(len(lexemes))
            lengths.append(sum(count for _, count in lexemes))
        return Counted(
            np.array(ids, dtype=np.int64),
            np.array(lengths, dtype=np.int32),
            np.array(terms, dtype=np.int32),
            np.repeat(np.arange(len(ids), dtype=np.int32), sizes),
            np.array(counts, dtype=np.uint8),
        )


NOTHING = Scored(np.empty(0, np.int64), np.empty(0, np.float32))


def limit_of(segment: Segment, below: int | None) -> int:
    """How many messages of a segment, from its first one, are looked at."""
    return len(segment) if below is None else int(np.searchsorted(segment.ids, below))


def who_is_kept(segment: Segment, allowed: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """By place in the segment."""
    if allowed is None:
        return segment.alive
    is_kept = np.zeros(len(segment), dtype=np.bool_)
    _, places = segment.places_of(allowed)
    is_kept[places] = True
    return is_kept


def best(parts: Sequence[Scored], k: int) -> Scored:
    ids = np.concatenate([part.ids for part in parts]) if parts else NOTHING.ids
    scores = np.concatenate([part.scores for part in parts]) if parts else NOTHING.scores
    if len(ids) > k:
        # All that are as good as the last one: which of those are latest is still to be seen.
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= least)
        ids, scores = ids[kept], scores[kept]
    order = np.lexsort((-ids, -scores))[:k]
    return Scored(ids[order], scores[order])


def tiered(segments: list[Segment]) -> list[Segment]:
    """The largest first; those at the end that are not much larger than the rest are merged."""
    kept = sorted(segments, key=len, reverse=True)
    tail = [kept.pop()]
    size = len(tail[0])
    while kept and (len(kept[-1]) < SMALLEST or len(kept[-1]) < TIER * size):
        size += len(kept[-1])
        tail.append(kept.pop())
    if len(tail) == 1:
        return [*kept, tail[0]]
    return [*kept, merged(tail)]
