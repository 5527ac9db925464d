"""Inverted lists of short codes: which few slots are worth comparing with a query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infrastructure.vectors.patched import faiss

BITS = 4  # a part of a vector is one of 16 patterns: what fits the processor's registers
PART = 3  # dimensions
REDUCED_FROM = 96  # dimensions: half of them, well chosen, tell which vectors may be near
SAMPLED = 60  # vectors a list to learn the lists from
LEAST_SAMPLE = 16_384  # vectors
ROUNDS = 10  # of k-means
ASSIGNED = 4_096  # vectors that are given to their lists at a time

Slots = NDArray[np.int64]
Vectors = NDArray[np.float32]


class InvertedLists:
    """
    FAISS' lists of 4-bit product codes. An entry is the number of a slot; it takes half a byte for
    a few dimensions and 8 bytes for its number.

    What is removed leaves nothing behind, so a search needs no list of what is gone. Not safe by
    itself: the index that it belongs to guards it.
    """

    def __init__(self, axes: Vectors, index: Any, trained_for: int) -> None:
        """
        Args:
            axes: shape (reduced dimensions, dimensions), orthonormal.
            index: FAISS' lists of reduced vectors.
            trained_for: vectors; when there are many more, other lists do better.
        """
        self.axes = axes
        self.index = index
        self.trained_for = trained_for
        turn = faiss.LinearTransform(axes.shape[1], axes.shape[0])
        faiss.copy_array_to_vector(np.ascontiguousarray(axes).ravel(), turn.A)
        turn.is_trained = True
        self.whole: Any = faiss.IndexPreTransform(turn, index)  # takes queries as they are

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def count(self) -> int:
        return int(self.index.nlist)

    @property
    def memory_bytes(self) -> int:
        """About: a list's codes are allocated in powers of two."""
        code = int(self.index.code_size)
        centroids = self.count * int(self.index.d) * 4
        return len(self) * (code * 4 // 3 + 8) + centroids + self.axes.nbytes

    @classmethod
    def train(cls, sample: Vectors, size: int) -> InvertedLists:
        """
        Args:
            sample: shape (sample_size(size), dimensions) or so.
            size: how many vectors there will be.
        """
        axes = axes_of(sample)
        reduced = len(axes)
        parts = reduced // PART if reduced % PART == 0 else reduced
        description = f"IVF{lists_for(size)},PQ{parts}x{BITS}fs"
        index: Any = faiss.index_factory(reduced, description, faiss.METRIC_INNER_PRODUCT)
        index.cp.niter = ROUNDS
        index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
        index.cp.max_points_per_centroid = 2 * SAMPLED
        index.train(np.ascontiguousarray(sample @ axes.T))
        return cls(axes, index, size)

    def reduce(self, vectors: Vectors) -> Vectors:
        """Shape (len(vectors), reduced dimensions): what `add` takes."""
        return np.ascontiguousarray(vectors @ self.axes.T, dtype=np.float32)

    def assign(self, reduced: Vectors) -> Slots:
        """The list that each vector belongs to."""
        parts = [
            self.index.quantizer.search(reduced[start : start + ASSIGNED], 1)[1][:, 0]
            for start in range(0, len(reduced), ASSIGNED)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def add(self, slots: Slots, reduced: Vectors) -> None:
        if len(slots):
            self.index.add_with_ids(reduced, slots)

    def remove(self, slots: Slots) -> None:
        if len(slots):
            bits = bitmap(slots, int(slots.max()) + 1)
            self.index.remove_ids(faiss.IDSelectorBitmap(bits))

    def slots(self) -> Slots:
        """What occurs, ascending, and as often as it occurs."""
        found = [self._slots_of(number).copy() for number in range(self.count)]
        return np.sort(np.concatenate(found))

    def renumber(self, kept: Slots) -> None:
        """The slots kept, which ascend and are all that occur, are numbered from 0 on."""
        for number in range(self.count):
            slots = self._slots_of(number)
            slots[:] = np.searchsorted(kept, slots)

    def _slots_of(self, number: int) -> Slots:
        """Of one list. A view: not to be kept."""
        lists = self.index.invlists
        size = lists.list_size(number)
        if not size:
            return np.empty(0, np.int64)
        slots: Slots = faiss.rev_swig_ptr(lists.get_ids(number), size)
        return slots


def lists_for(size: int) -> int:
    """A power of two near 1.9 times the square root of the size."""
    return 1 << max(0, round(math.log2(1.9 * max(1, size) ** 0.5)))


def sample_size(size: int) -> int:
    return min(size, max(LEAST_SAMPLE, SAMPLED * lists_for(size)))


def axes_of(sample: Vectors) -> Vectors:
    """
    The principal axes of a sample, shape (reduced dimensions, dimensions), turned at random among
    themselves so that no part of a vector tells more than the others.
    """
    dimensions = sample.shape[1]
    kept = dimensions // 2 if dimensions >= REDUCED_FROM else dimensions
    _, vectors = np.linalg.eigh(
        np.cov(sample, rowvar=False, dtype=np.float64).reshape(dimensions, -1)
    )
    turn, _ = np.linalg.qr(np.random.default_rng(kept).normal(size=(kept, kept)))
    return np.ascontiguousarray(turn @ vectors[:, -kept:].T, dtype=np.float32)


def bitmap(slots: Slots, count: int) -> NDArray[np.uint8]:
    """One bit a slot, set for these."""
    chosen = np.zeros(count, np.bool_)
    chosen[slots] = True
    return np.packbits(chosen, bitorder="little")
