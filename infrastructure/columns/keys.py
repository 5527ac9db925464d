"""Keys of texts in memory: 16 bytes each, found by bisection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

KEY = np.dtype("S16")  # strips zeros at the end, which makes no two keys of one length equal
ABSENT = -1

Keys = NDArray[np.bytes_]


def packed(keys: Iterable[UUID]) -> Keys:
    return np.frombuffer(b"".join(key.bytes for key in keys), dtype=KEY)


def unpacked(keys: Keys) -> list[UUID]:
    raw = np.ascontiguousarray(keys, dtype=KEY).tobytes()
    return [UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)]


class Ordered(NamedTuple):
    """Keys in their order, and the number of each; arrays that never change."""

    keys: Keys
    numbers: NDArray[np.int32]


class KeyTable:
    """
    Different keys, numbered in the order in which they come.

    One thread adds; others may look up meanwhile, and find what was there when they began.
    """

    def __init__(self) -> None:
        self._keys: Keys = np.empty(0, KEY)  # by number; longer than what is used
        self._count = 0
        self._ordered = Ordered(np.empty(0, KEY), np.empty(0, np.int32))

    def __len__(self) -> int:
        return self._count

    @property
    def ordered(self) -> Ordered:
        """As they are now; a key that is just coming may not be there yet."""
        return self._ordered

    @property
    def memory_bytes(self) -> int:
        return self._keys.nbytes + sum(part.nbytes for part in self._ordered)

    def of(self, numbers: NDArray[np.integer]) -> Keys:
        keys: Keys = self._keys[numbers]
        return keys

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """The number of each; ABSENT where it never came."""
        known, numbers = self._ordered
        if not len(known):
            return np.full(len(keys), ABSENT, np.int64)
        places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        return np.where(known[places] == keys, numbers[places], ABSENT).astype(np.int64)

    def add(self, keys: Keys) -> NDArray[np.int64]:
        """The number of each, new ones included."""
        different = np.unique(keys)
        fresh = different[self.find(different) == ABSENT]
        if len(fresh):
            first = self._count
            self._keys = grown(self._keys, first, fresh)
            self._count = first + len(fresh)
            known, numbers = self._ordered
            places = np.searchsorted(known, fresh)
            added = np.arange(first, self._count, dtype=np.int32)
            self._ordered = Ordered(
                np.insert(known, places, fresh), np.insert(numbers, places, added)
            )
        return self.find(keys)


def grown(values: NDArray[Any], count: int, more: NDArray[Any]) -> NDArray[Any]:
    """
    With more behind the first `count`. Whoever reads the array that was keeps it as it was.
    """
    end = count + len(more)
    if end > len(values):
        larger = np.empty(max(64, end + end // 4), values.dtype)
        larger[:count] = values[:count]
        values = larger
    values[count:end] = more
    return values
