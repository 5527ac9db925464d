"""A part of an inverted index: which messages have which words, in arrays that never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_OFTEN = 255  # times that a word counts in one message


class Counted(NamedTuple):
    """The words of messages, one row for each word of each message."""

    ids: NDArray[np.int64]  # shape (messages,), ascending
    lengths: NDArray[np.int32]  # shape (messages,): words, as often as they occur
    terms: NDArray[np.int32]  # shape (rows,): numbers in the vocabulary
    documents: NDArray[np.int32]  # shape (rows,): places in ids
    counts: NDArray[np.uint8]  # shape (rows,)


@dataclass(slots=True)
class Segment:
    """
    Postings sorted by word, then by message: those of the word `terms[i]` are the rows from
    `starts[i]` to `starts[i + 1]`. A message that is gone or told anew stays, and is not alive.
    """

    ids: NDArray[np.int64]
    lengths: NDArray[np.int32]
    terms: NDArray[np.int32]
    starts: NDArray[np.int64]
    documents: NDArray[np.int32]
    counts: NDArray[np.uint8]
    alive: NDArray[np.bool_]
    dead: int = 0
    total_lengths: NDArray[np.int64] = field(init=False)  # up to each message, those gone included

    def __post_init__(self) -> None:
        self.total_lengths = np.concatenate(([0], np.cumsum(self.lengths, dtype=np.int64)))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def memory_bytes(self) -> int:
        arrays = (
            self.ids, self.lengths, self.terms, self.starts, self.documents, self.counts,
            self.alive, self.total_lengths,
        )  # fmt: skip
        return sum(array.nbytes for array in arrays)

    def postings(self, term: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """The messages that have a word, as places in ids, and how often."""
        place = int(np.searchsorted(self.terms, term))
        if place == len(self.terms) or self.terms[place] != term:
            return self.documents[:0], self.counts[:0]
        rows = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.documents[rows], self.counts[rows]

    def sizes(self, terms: NDArray[np.int32]) -> NDArray[np.int64]:
        """How many messages have each of these words, those that are gone included."""
        if not len(self.terms):
            return np.zeros(len(terms), np.int64)
        places = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        sizes = self.starts[places + 1] - self.starts[places]
        return np.where(self.terms[places] == terms, sizes, 0)

    def places_of(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which of these messages are here and alive: their rows in the argument, and places."""
        if not len(self.ids):
            return np.empty(0, np.intp), np.empty(0, np.intp)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        rows = np.flatnonzero((self.ids[places] == ids) & self.alive[places])
        return rows, places[rows]

    def times(self, term: int, places: NDArray[np.intp]) -> NDArray[np.uint8]:
        """How often a word stands in some messages."""
        documents, counts = self.postings(term)
        if not len(documents):
            return np.zeros(len(places), np.uint8)
        rows = np.minimum(np.searchsorted(documents, places), len(documents) - 1)
        return np.where(documents[rows] == places, counts[rows], 0).astype(np.uint8)

    def gone(self) -> NDArray[np.int32]:
        """The places of messages that are not alive, ascending."""
        return np.flatnonzero(~self.alive).astype(np.int32)

    def bury(self, ids: NDArray[np.int64]) -> int:
        """Let what is there of these messages be gone; return how many that were."""
        _, found = self.places_of(ids)
        self.alive[found] = False
        self.dead += len(found)
        return len(found)

    def counted(self) -> Counted:
        """What is alive, as rows again."""
        kept = np.flatnonzero(self.alive)
        renumbered = np.cumsum(self.alive, dtype=np.int32) - 1
        terms = np.repeat(self.terms, np.diff(self.starts))
        is_alive = self.alive[self.documents]
        return Counted(
            self.ids[kept],
            self.lengths[kept],
            terms[is_alive],
            renumbered[self.documents[is_alive]],
            self.counts[is_alive],
        )


def build(counted: Counted) -> Segment:
    order = np.lexsort((counted.documents, counted.terms))
    terms, starts = np.unique(counted.terms[order], return_index=True)
    return Segment(
        ids=counted.ids,
        lengths=counted.lengths,
        terms=terms.astype(np.int32),
        starts=np.append(starts, len(order)).astype(np.int64),
        documents=counted.documents[order],
        counts=counted.counts[order],
        alive=np.ones(len(counted.ids), dtype=np.bool_),
    )


def merged(parts: Sequence[Segment]) -> Segment:
    """One segment of what is alive in several."""
    found = [part.counted() for part in parts]
    ids = np.concatenate([part.ids for part in found])
    order = np.argsort(ids, kind="stable")
    new_places = np.empty(len(order), dtype=np.int32)
    new_places[order] = np.arange(len(order), dtype=np.int32)
    firsts = np.cumsum([0, *(len(part.ids) for part in found)])
    documents = [
        new_places[part.documents + first] for part, first in zip(found, firsts, strict=False)
    ]
    return build(
        Counted(
            ids[order],
            np.concatenate([part.lengths for part in found])[order],
            np.concatenate([part.terms for part in found]),
            np.concatenate(documents),
            np.concatenate([part.counts for part in found]),
        )
    )
