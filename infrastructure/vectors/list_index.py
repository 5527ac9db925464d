"""Many vectors of one workspace in memory: lists say which to compare, bytes how they compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infrastructure.read_write_lock import ReadWriteLock
from infrastructure.vectors.lists import InvertedLists, bitmap, sample_size
from infrastructure.vectors.patched import faiss
from infrastructure.vectors.slots import Slots
from infrastructure.vectors.stored_rows import StoredRows
from infrastructure.vectors.together import Together

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]

ADDED = 256  # vectors while searches wait: some milliseconds
MOVED = 16_384  # vectors given to new lists at a time
FEWEST_TRAINED = 64  # vectors; the lists of fewer stay as they are
LEFT = 1_024  # vectors that may still be missing in new lists when they take over
NARROW = 100_000  # vectors that are compared one by one: some 5 ms, and none is missed
GROWN = 2  # times as many vectors as the lists were made for: others are made
SCANNED = 66_000  # vectors whose codes are read, of 100,000; 1.45 times as many of a million
COMPARED = 250  # vectors, for few hits
FEWEST, MOST = 4, 64  # times k
MOST_DEAD = 4  # a quarter of the slots


class ListIndex:
    """
    Inner products over unit vectors, nearly exact: most of the nearest are found, and what is
    found has the score of its vector as it is kept, a byte a number.

    Safe to use from several threads, where one at a time changes it.
    """

    def __init__(self, rows: StoredRows, lists: InvertedLists, slots: Slots | None = None) -> None:
        self.dimensions = rows.dimensions
        self.rows = rows
        self.lists = lists
        self.slots = Slots() if slots is None else slots
        self._lock = ReadWriteLock()
        self._moving: list[Ids] | None = None  # slots removed since other lists are being made
        self._together = Together(self._search_all)
        self._look()

    @classmethod
    def train(cls, sample: Vectors, size: int) -> ListIndex:
        """An empty one for vectors like those of the sample. size: how many there will be."""
        rows = StoredRows(sample.shape[1])
        rows.train(sample)
        return cls(rows, InvertedLists.train(sample, size))

    def __len__(self) -> int:
        return len(self.slots)

    def __contains__(self, id: int) -> bool:
        with self._lock.reading():
            return bool(self.slots.find(np.array([id], np.int64))[0] >= 0)

    @property
    def ids(self) -> Ids:
        """Ascending."""
        with self._lock.reading():
            return np.sort(self.slots.ids[self.slots.alive()])

    @property
    def memory_bytes(self) -> int:
        parts = (self.rows, self.slots, self.lists)
        return sum(part.memory_bytes for part in parts)

    @property
    def is_outgrown(self) -> bool:
        """Whether other lists would do better, or gaps of what was removed are worth closing."""
        has_grown = len(self) >= GROWN * max(FEWEST_TRAINED, self.lists.trained_for)
        return has_grown or self.slots.dead * MOST_DEAD > self.slots.count

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Of ids that are there already, what is equal is passed over and other replaced."""
        for start in range(0, len(ids), ADDED):
            self._add(ids[start : start + ADDED], vectors[start : start + ADDED])

    def remove(self, ids: Ids) -> int:
        slots = self.slots.find(np.unique(ids))
        slots = slots[slots >= 0]
        if len(slots):
            with self._lock.writing():
                self._remove(slots)
        return len(slots)

    def search(self, query: Vectors, k: int, allowed: Ids | None) -> tuple[Ids, Vectors]:
        """
        Args:
            query: shape (dimensions,).
            allowed: ids, ascending; None: all.
        """
        if allowed is None:
            return self._together.ask((query, k))
        queries = query[np.newaxis]
        with self._lock.reading():
            chosen = self.slots.find(allowed)
            chosen = chosen[chosen >= 0]
            slots, scores = self._search_among(queries, min(k, len(chosen)), chosen)
            return self.slots.ids[slots], scores

    def vectors_of(self, ids: Ids) -> tuple[Vectors, NDArray[np.bool_]]:
        """See FaissIndex.vectors_of."""
        with self._lock.reading():
            slots = self.slots.find(ids)
            is_there = slots >= 0
            vectors = np.zeros((len(ids), self.dimensions), np.float32)
            if is_there.any():
                vectors[is_there] = self.rows.decode(slots[is_there])
        return vectors, is_there

    def retrain(self, changes: Lock) -> None:
        """
        Make lists that suit the vectors that are there now, and let them take over.

        Searches go on, and so do changes except for a moment at the end. What changes meanwhile
        is not lost: the rows are the same for both, and slots are only ever added.

        Args:
            changes: held by whoever changes the index; not by the caller.
        """
        with changes:
            self._moving = []
            size, end = len(self), self.slots.count
        try:
            sample = self._sample(size)
            if len(sample) < FEWEST_TRAINED:
                with changes:
                    self._take_over(self.lists)
                return
            lists = InvertedLists.train(sample, size)
            del sample
            start = 0
            self._fill(lists, end)
            while True:
                start, end = end, self.slots.count
                self._append(lists, start, end)
                if end - start <= LEFT:
                    break
            with changes:
                self._append(lists, end, self.slots.count)
                for slots in self._moving:
                    lists.remove(slots)
                self._take_over(lists)
        finally:
            self._moving = None

    def _take_over(self, lists: InvertedLists) -> None:
        with self._lock.writing():
            self.lists = lists
            if self.slots.dead:
                kept = self.slots.compact()
                self.rows.keep(kept)
                lists.renumber(kept)
            self._look()

    def _add(self, ids: Ids, vectors: Vectors) -> None:
        codes = self.rows.encode(vectors)
        slots = self.slots.find(ids)
        known = np.flatnonzero(slots >= 0)
        is_same = (self.rows.codes[slots[known]] == codes[known]).all(axis=1)
        replaced = slots[known[~is_same]]
        fresh = np.ones(len(ids), np.bool_)
        fresh[known[is_same]] = False
        if not fresh.any():
            return
        reduced = self.lists.reduce(vectors[fresh])
        with self._lock.writing():
            if len(replaced):
                self._remove(replaced)
            first = self.slots.count
            self.slots.append(ids[fresh])
            self.rows.append(codes[fresh])
            numbers = np.arange(first, self.slots.count)
            self.lists.add(numbers, reduced)
            self._refined.ntotal = self.slots.count

    def _remove(self, slots: Ids) -> None:
        self.lists.remove(slots)
        self.slots.remove(slots)
        self.rows.erase(slots)
        if self._moving is not None:
            self._moving.append(slots)

    def _look(self) -> None:
        self.lists.whole.ntotal = self.slots.count  # FAISS wants as many of both
        self._refined = faiss.IndexRefine(self.lists.whole, self.rows.quantizer)

    def _search_all(self, asked: Sequence[tuple[Vectors, int]]) -> list[tuple[Ids, Vectors]]:
        """Those who ask at the same time, among all vectors."""
        queries = np.stack([query for query, _ in asked])
        with self._lock.reading():
            most = min(max(k for _, k in asked), len(self))
            found = self._search(queries, most)
            answers = []
            for row, (_, k) in enumerate(asked):
                slots, scores = found[row]
                if len(slots) < min(k, most):
                    slots, scores = self._compare(queries[row : row + 1], k, self.slots.alive())
                answers.append((self.slots.ids[slots[:k]], scores[:k]))
        return answers

    def _search(self, queries: Vectors, k: int, selector: Any = None) -> list[tuple[Ids, Vectors]]:
        """Slots and scores of each query: fewer than k if the lists read hold no more."""
        if k < 1:
            return [(np.empty(0, np.int64), np.empty(0, np.float32))] * len(queries)
        lists = lists_read(len(self), self.lists.count)
        if selector is None:
            parameters = common_parameters(k, lists)
        else:
            parameters = parameters_for(k, lists, selector)
        scores, slots = self._refined.search(queries, k, params=parameters)
        is_hit = slots >= 0
        return [(slots[row][hits], scores[row][hits]) for row, hits in enumerate(is_hit)]

    def _search_among(self, queries: Vectors, k: int, chosen: Ids) -> tuple[Ids, Vectors]:
        if len(chosen) > NARROW:
            bits = bitmap(chosen, self.slots.count)
            [(slots, scores)] = self._search(queries, k, faiss.IDSelectorBitmap(bits))
            if len(slots) == k:
                return slots, scores
        return self._compare(queries, k, chosen)

    def _compare(self, queries: Vectors, k: int, chosen: Ids) -> tuple[Ids, Vectors]:
        """With each of these."""
        if k < 1 or not len(chosen):
            return np.empty(0, np.int64), np.empty(0, np.float32)
        slots, scores = self.rows.nearest(queries, k, chosen)
        return slots[0], scores[0]

    def _sample(self, size: int) -> Vectors:
        with self._lock.reading():
            slots = self.slots.alive()
            wanted = min(len(slots), sample_size(size))
            chosen = np.random.default_rng(size).choice(slots, wanted, replace=False)
            return self.rows.decode(np.sort(chosen))

    def _fill(self, lists: InvertedLists, end: int) -> None:
        """In the order of the lists, so that none of them is moved while it grows."""
        with self._lock.reading():
            slots = self.slots.alive(0, end)
        assigned = np.empty(len(slots), np.int64)
        for part in parts(len(slots)):
            assigned[part] = lists.assign(lists.reduce(self._decode(slots[part])))
        order = np.argsort(assigned, kind="stable")
        for part in parts(len(slots)):
            chosen = order[part]
            reduced = lists.reduce(self._decode(slots[chosen]))
            lists.add(slots[chosen], reduced)

    def _append(self, lists: InvertedLists, start: int, end: int) -> None:
        slots = np.arange(start, end)
        for part in parts(len(slots)):
            reduced = lists.reduce(self._decode(slots[part]))
            lists.add(slots[part], reduced)

    def _decode(self, slots: Ids) -> Vectors:
        """Of slots that were removed meanwhile, nothing that matters: they leave the lists."""
        with self._lock.reading():
            return self.rows.decode(slots)


def parts(count: int) -> Iterator[slice]:
    return (slice(start, start + MOVED) for start in range(0, count, MOVED))


def lists_read(size: int, lists: int) -> int:
    """How many lists hold the vectors that are worth a look. By measurement."""
    scanned: float = SCANNED * max(1.0, size / 100_000) ** 0.16
    return max(1, min(lists, round(scanned * lists / max(1, size))))


@lru_cache(maxsize=256)
def common_parameters(k: int, lists: int) -> Any:
    return parameters_for(k, lists, None)


def parameters_for(k: int, lists: int, selector: Any) -> Any:
    """Args: lists: how many are read."""
    factor = max(FEWEST, min(MOST, COMPARED // k))
    in_lists = faiss.SearchParametersIVF(nprobe=lists, sel=selector)
    reduced = faiss.SearchParametersPreTransform(index_params=in_lists)
    return faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=reduced)
