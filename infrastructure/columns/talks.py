"""The messages of each conversation in the order in which they were sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]


class Sequence(NamedTuple):
    """By time, then by id; arrays that never change."""

    rows: Rows
    sent_at: NDArray[np.int64]


NOTHING = Sequence(np.empty(0, np.int32), np.empty(0, np.int64))


class Talks:
    """
    One thread changes it; others may read meanwhile.

    Args:
        ids_of: the messages' ids by row.
    """

    def __init__(self, ids_of: Callable[[Rows], NDArray[np.int64]]) -> None:
        self._ids_of = ids_of
        self._sequences: dict[int, Sequence] = {}

    @property
    def memory_bytes(self) -> int:
        return sum(one.rows.nbytes + one.sent_at.nbytes for one in list(self._sequences.values()))

    def of(self, talk: int) -> Sequence:
        return self._sequences.get(talk, NOTHING)

    def place_of(self, sequence: Sequence, row: int, sent_at: int) -> int:
        """Where a row of it stands."""
        first, last = np.searchsorted(sequence.sent_at, [sent_at, sent_at + 1])
        ids = self._ids_of(sequence.rows[first:last])
        return int(first + np.searchsorted(ids, self._ids_of(np.array([row], np.int32))[0]))

    def add(self, rows: Rows, talks: NDArray[np.int32], sent_at: NDArray[np.int64]) -> None:
        for talk, places in grouped(talks):
            order = np.lexsort((self._ids_of(rows[places]), sent_at[places]))
            chosen = places[order]
            more = Sequence(rows[chosen], sent_at[chosen])
            self._sequences[talk] = self._joined(self.of(talk), more)

    def remove(self, rows: Rows, talks: NDArray[np.int32]) -> None:
        for talk, places in grouped(talks):
            known = self.of(talk)
            kept = ~np.isin(known.rows, rows[places])
            self._sequences[talk] = Sequence(known.rows[kept], known.sent_at[kept])

    def _joined(self, known: Sequence, more: Sequence) -> Sequence:
        places = np.searchsorted(known.sent_at, more.sent_at, side="right")
        before = places[places > 0] - 1
        rivals = more.rows[places > 0]
        is_tied = known.sent_at[before] == more.sent_at[places > 0]
        is_wrong = self._ids_of(known.rows[before]) > self._ids_of(rivals)
        found = Sequence(
            np.insert(known.rows, places, more.rows),
            np.insert(known.sent_at, places, more.sent_at),
        )
        if not (is_tied & is_wrong).any():
            return found
        order = np.lexsort((self._ids_of(found.rows), found.sent_at))
        return Sequence(found.rows[order], found.sent_at[order])


def grouped(numbers: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each number that occurs, and where."""
    if not len(numbers):
        return
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    for places in np.split(order, starts[1:]):
        yield int(numbers[places[0]]), places
