"""Which vector belongs to which text, in memory, both ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infrastructure.columns.keys import KEY, Keys, KeyTable

ABSENT = -1

Ids = NDArray[np.int64]


class TextVectors:
    """One thread changes it; others may look up meanwhile."""

    def __init__(self) -> None:
        self._texts = KeyTable()
        self._vectors: Ids = np.empty(0, np.int64)  # by text; ABSENT: removed
        self._by_vector: tuple[Ids, NDArray[np.int32]] = (
            np.empty(0, np.int64),  # vectors, ascending
            np.empty(0, np.int32),  # their texts
        )

    @property
    def memory_bytes(self) -> int:
        parts = (self._vectors, *self._by_vector)
        return self._texts.memory_bytes + sum(part.nbytes for part in parts)

    def add(self, ids: Ids, keys: Keys) -> None:
        """
        Args:
            ids: of vectors, ascending, each once.
            keys: of their texts, in the same order.
        """
        if not len(ids):
            return
        texts = self._texts.add(keys)
        missing = np.full(len(self._texts) - len(self._vectors), ABSENT, np.int64)
        vectors = np.concatenate([self._vectors, missing])
        vectors[texts] = ids
        self._vectors = vectors
        known, their_texts = self._by_vector
        places = np.searchsorted(known, ids)
        self._by_vector = np.insert(known, places, ids), np.insert(their_texts, places, texts)

    def remove(self, ids: Ids) -> None:
        known, texts = self._by_vector
        is_gone = np.isin(known, ids)
        gone = texts[is_gone]
        # A text that has another vector by now keeps it.
        self._vectors[gone[self._vectors[gone] == known[is_gone]]] = ABSENT
        self._by_vector = known[~is_gone], texts[~is_gone]

    def keys_of(self, ids: Ids) -> tuple[Keys, NDArray[np.bool_]]:
        """The key of each vector's text, and whether it is known at all."""
        known, texts = self._by_vector
        if not len(known):
            return np.zeros(len(ids), KEY), np.zeros(len(ids), np.bool_)
        places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return self._texts.of(texts[places]), known[places] == ids

    def vectors_of(self, keys: Keys) -> Ids:
        """The vector of each text; ABSENT where there is none."""
        vectors, texts = self._vectors, self._texts.find(keys)
        # A text that comes while this looks has no vector yet.
        is_known = (texts != ABSENT) & (texts < len(vectors))
        found = np.full(len(texts), ABSENT, np.int64)
        found[is_known] = vectors[texts[is_known]]
        return found
