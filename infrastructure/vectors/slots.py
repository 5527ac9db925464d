"""Which vector lies in which slot: the ids in the order they came, and which are still there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infrastructure.vectors.growing import GrowingRows

Ids = NDArray[np.int64]
ABSENT = -1


class Slots:
    """
    Ids only ever grow where the read model gives them, so a slot is found by bisection. Ids that
    come out of order are found by way of a permutation, which is made when it is first needed.

    A slot whose vector was removed stays, marked, until `compact`. Not safe by itself: the index
    that it belongs to guards it.
    """

    def __init__(self) -> None:
        self._ids = GrowingRows(1, np.int64)
        self._alive = GrowingRows(1, np.bool_)
        self._dead = 0
        self._is_sorted = True
        self._order: Ids | None = None

    def __len__(self) -> int:
        """Vectors that are there; the number of slots is `count`."""
        return self.count - self._dead

    @property
    def count(self) -> int:
        return len(self._ids)

    @property
    def dead(self) -> int:
        return self._dead

    @property
    def ids(self) -> Ids:
        """By slot, those that were removed included. A view: not to be kept."""
        return self._ids.used

    @property
    def memory_bytes(self) -> int:
        order = 0 if self._order is None else self._order.nbytes
        return self._ids.memory_bytes + self._alive.memory_bytes + order

    def alive(self, start: int = 0, end: int | None = None) -> Ids:
        """The slots from start to end whose vectors are there, ascending."""
        return np.flatnonzero(self._alive.used[start:end]) + start

    def find(self, ids: Ids) -> Ids:
        """The slot of each id, -1 where there is none. Quickest where the ids ascend."""
        if not self.count:
            return np.full(len(ids), ABSENT, np.int64)
        order = self._permutation()
        # The last of equal ids counts: the others were removed before it came.
        slots = np.searchsorted(self.ids, ids, side="right", sorter=order) - 1
        is_before = slots < 0
        slots[is_before] = 0
        if order is not None:
            slots = order[slots]
        is_there = (self.ids[slots] == ids) & self._alive.used[slots] & ~is_before
        slots[~is_there] = ABSENT
        return slots

    def append(self, ids: Ids) -> None:
        """Of ids that are not there, each once."""
        if self._is_sorted:
            follows = not self.count or bool(ids[0] > self.ids[-1])
            self._is_sorted = follows and bool((ids[1:] > ids[:-1]).all())
        self._order = None
        self._ids.append(ids)
        self._alive.append(np.ones(len(ids), np.bool_))

    def remove(self, slots: Ids) -> None:
        """Of vectors that are there, each once."""
        self._alive.used[slots] = False
        self._dead += len(slots)

    def compact(self) -> Ids:
        """Close the gaps; return the slots that were kept, in their order."""
        kept = self.alive()
        self._ids.keep(kept)
        self._alive.keep(kept)
        self._dead, self._order = 0, None
        self._is_sorted = bool((self.ids[1:] > self.ids[:-1]).all())
        return kept

    def _permutation(self) -> Ids | None:
        if self._is_sorted:
            return None
        order = self._order
        if order is None:
            self._order = order = np.argsort(self.ids, kind="stable")
        return order
