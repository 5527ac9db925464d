"""Which texts messages and vectors have in common: each one's number in the other's table."""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from infrastructure.columns.keys import ABSENT, KeyTable, Ordered

Numbers = NDArray[np.int32]


class Pairing:
    """
    Two tables that only ever grow, each followed by a thread of its own. Safe to use from several
    threads; bisection among keys, which takes a microsecond each, is done once for each key.
    """

    def __init__(self, one: KeyTable, other: KeyTable) -> None:
        self.one = one
        self.other = other
        self._lock = Lock()
        self._to_other: Numbers = np.empty(0, np.int32)  # by number in one
        self._to_one: Numbers = np.empty(0, np.int32)  # by number in other
        self._counts = (0, 0)  # how many of each are known

    def to_other(self, numbers: NDArray[np.integer]) -> NDArray[np.int64]:
        """What these numbers of `one` are in `other`; ABSENT: not there, or there was no number."""
        self._catch_up()
        return translated(self._to_other, numbers)

    def to_one(self, numbers: NDArray[np.integer]) -> NDArray[np.int64]:
        self._catch_up()
        return translated(self._to_one, numbers)

    @property
    def memory_bytes(self) -> int:
        return self._to_other.nbytes + self._to_one.nbytes

    def _catch_up(self) -> None:
        if (len(self.one), len(self.other)) == self._counts:
            return
        with self._lock:
            # As they are at one moment each: what comes while this looks is looked for next time.
            ones, others = self.one.ordered, self.other.ordered
            to_other = with_room(self._to_other, len(ones.keys))
            to_one = with_room(self._to_one, len(others.keys))
            new, counterparts = common(ones, others, first=self._counts[0])
            to_other[new], to_one[counterparts] = counterparts, new
            new, counterparts = common(others, ones, first=self._counts[1])
            to_one[new], to_other[counterparts] = counterparts, new
            # Whole before anybody reads them, and never changed again.
            self._to_other, self._to_one = to_other, to_one
            self._counts = len(ones.keys), len(others.keys)


def common(keys: Ordered, known: Ordered, *, first: int) -> tuple[Numbers, Numbers]:
    """Those numbered from `first` on that are known, and what number they have there."""
    is_new = keys.numbers >= first
    # In the order of the keys, so that bisection finds them in the processor's cache.
    numbers, wanted = keys.numbers[is_new], keys.keys[is_new]
    if not len(known.keys):
        return numbers[:0], numbers[:0]
    places = np.minimum(np.searchsorted(known.keys, wanted), len(known.keys) - 1)
    is_same = known.keys[places] == wanted
    return numbers[is_same], known.numbers[places[is_same]]


def with_room(numbers: Numbers, count: int) -> Numbers:
    """A copy for so many; ABSENT where nothing is known yet."""
    return np.concatenate([numbers, np.full(count - len(numbers), ABSENT, np.int32)])


def translated(table: Numbers, numbers: NDArray[np.integer]) -> NDArray[np.int64]:
    found = np.full(len(numbers), ABSENT, np.int64)
    is_known = (numbers >= 0) & (numbers < len(table))
    found[is_known] = table[numbers[is_known]]
    return found
