"""The words of one workspace in memory, ranked by BM25."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infrastructure.read_write_lock import ReadWriteLock
from infrastructure.words.lookup import Lookup, Part
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

    def look_up(self, asked: Sequence[Alternatives], *, below: int | None = None) -> Lookup:
        """
        Args:
            asked: one for each word of a query.
            below: only messages with lower ids are looked at and counted; None: all are.
        """
        numbers = [self._numbers(alternatives) for alternatives in asked]
        with self._lock.reading():
            parts = [Part(s, s.alive, limit_of(s, below)) for s in self._segments]
        return Lookup(parts, numbers)

    def count(self, alternatives: Alternatives) -> int:
        """How many messages have any of them; one that has several may be counted for each."""
        with self._lock.reading():
            numbers = np.array(self._numbers(alternatives), dtype=np.int32)
            return sum(
                int(np.count_nonzero(segment.alive[places]))
                for segment in self._segments
                for places, _ in segment.postings(numbers)
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


def limit_of(segment: Segment, below: int | None) -> int:
    """How many messages of a segment, from its first one, are looked at."""
    return len(segment) if below is None else int(np.searchsorted(segment.ids, below))


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
