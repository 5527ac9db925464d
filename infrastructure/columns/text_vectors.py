"""Which vector belongs to which text, in memory, both ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infrastructure.columns.keys import Keys, KeyTable
from infrastructure.columns.pairing import Pairing

ABSENT = -1

Ids = NDArray[np.int64]


class TextVectors:
    """One thread changes it; others may look up meanwhile."""

    def __init__(self) -> None:
        self._texts = KeyTable()
        self._pairing: Pairing | None = None
        self._vectors: Ids = np.empty(0, np.int64)  # by text; ABSENT: removed
        self._by_vector: tuple[Ids, NDArray[np.int32]] = (
            np.empty(0, np.int64),  # vectors, ascending
            np.empty(0, np.int32),  # their texts
        )

    @property
    def memory_bytes(self) -> int:
        parts = (self._vectors, *self._by_vector)
        paired = 0 if self._pairing is None else self._pairing.memory_bytes
        return self._texts.memory_bytes + paired + sum(part.nbytes for part in parts)

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

    def ids_from(self, id: int) -> Ids:
        """The vectors from this one on, ascending."""
        known, _ = self._by_vector
        return known[np.searchsorted(known, id) :]

    def vectors_of(self, keys: Keys) -> Ids:
        """The vector of each text; ABSENT where there is none."""
        vectors, texts = self._vectors, self._texts.find(keys)
        # A text that comes while this looks has no vector yet.
        is_known = (texts != ABSENT) & (texts < len(vectors))
        found = np.full(len(texts), ABSENT, np.int64)
        found[is_known] = vectors[texts[is_known]]
        return found

    def of_texts(self, numbers: NDArray[np.integer], texts: KeyTable) -> Ids:
        """
        The vectors of texts that are numbered by another table; ABSENT where there is none, and
        where the number is ABSENT.
        """
        vectors, mine = self._vectors, self._paired(texts).to_other(numbers)
        found = np.full(len(mine), ABSENT, np.int64)
        is_known = (mine != ABSENT) & (mine < len(vectors))
        found[is_known] = vectors[mine[is_known]]
        return found

    def texts_of(self, ids: Ids, texts: KeyTable) -> Ids:
        """The number that another table gives each vector's text; ABSENT where there is none."""
        known, mine = self._by_vector
        if not len(known):
            return np.full(len(ids), ABSENT, np.int64)
        places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        numbers = np.where(known[places] == ids, mine[places], ABSENT)
        return self._paired(texts).to_one(numbers)

    def _paired(self, texts: KeyTable) -> Pairing:
        """With the table that asks, which is the same until messages are read anew."""
        pairing = self._pairing
        if pairing is None or pairing.one is not texts:
            self._pairing = pairing = Pairing(texts, self._texts)
        return pairing
