"""A part of an inverted index: which messages have which words, in arrays that never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

MOST_OFTEN = 255  # times that a word counts in one message


class Rows(Protocol):
    """A table of messages in which a row stays a row."""

    def find(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each message; below 0 where it is not there."""
        ...


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
    _rows: tuple[Rows, NDArray[np.int32]] | None = field(init=False, default=None, repr=False)

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
        rows = self._rows
        return sum(array.nbytes for array in arrays) + (rows[1].nbytes if rows else 0)

    def rows_in(self, table: Rows) -> NDArray[np.int32]:
        """The row of each message that is alive; below 0 where a table has none yet."""
        known = self._rows
        if known is not None and known[0] is table:
            return known[1]
        alive = self.alive
        rows = table.find(self.ids).astype(np.int32)
        if (rows[alive] >= 0).all():  # else they are still on their way
            self._rows = table, rows
        return rows

    def postings(
        self, terms: NDArray[np.int32]
    ) -> list[tuple[NDArray[np.int32], NDArray[np.uint8]]]:
        """For each word the messages that have it, as places in ids, and how often."""
        if not len(self.terms):
            return [(self.documents[:0], self.counts[:0])] * len(terms)
        places = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        is_there = self.terms[places] == terms
        starts, ends = self.starts[places], self.starts[places + 1]
        ends = np.where(is_there, ends, starts)
        return [
            (self.documents[start:end], self.counts[start:end])
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    def sizes(self, terms: NDArray[np.int32]) -> NDArray[np.int64]:
        """How many messages have each of these words, those that are gone included."""
        if not len(self.terms):
            return np.zeros(len(terms), np.int64)
        places = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        sizes = self.starts[places + 1] - self.starts[places]
        return np.where(self.terms[places] == terms, sizes, 0)

    def places_of(
        self, ids: NDArray[np.int64], alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which of these messages are here and alive: their rows in the argument, and places."""
        if not len(self.ids):
            return np.empty(0, np.intp), np.empty(0, np.intp)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        rows = np.flatnonzero((self.ids[places] == ids) & alive[places])
        return rows, places[rows]

    def bury(self, ids: NDArray[np.int64]) -> int:
        """
        Let what is there of these messages be gone; return how many that were. Whoever has taken
        `alive` before keeps it as it was.
        """
        _, found = self.places_of(ids, self.alive)
        if len(found):
            alive = self.alive.copy()
            alive[found] = False
            self.alive = alive
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
