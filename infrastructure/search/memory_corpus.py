"""Implements Corpus in memory, by columns that follow the messages and the vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from infrastructure.columns.codes import Codes
from infrastructure.columns.filtering import IsKept, Test
from infrastructure.columns.keys import packed, unpacked
from infrastructure.columns.message_table import NO_ROW, MessageTable
from infrastructure.columns.text_vectors import ABSENT, TextVectors
from infrastructure.search.context import stretches
from infrastructure.search.corpus import (
    AROUND,
    Ids,
    MeaningHit,
    Nearest,
    Surroundings,
)
from infrastructure.search.linking import Spoken
from infrastructure.search.ranking import Key
from infrastructure.search.results import Counts
from infrastructure.search.stored_corpus import StoredCorpus
from infrastructure.words.lookup import Kept, Lookup

NAMES = """
SELECT author_id, name FROM read.author
WHERE workspace_id = %(workspace)s AND author_id = ANY(%(ids)s)
"""
FEW_TEXTS = 100_000
GROWTH = 4
MICROSECONDS = 1e6  # of a second

Rows = NDArray[np.int64]


class MemoryCorpus:
    """
    Args:
        stored: the same by PostgreSQL, whose filters columns can tell.
        table: not of a later moment than the connection's.
        texts: None: nothing is compared by meaning.
        gone: messages that were withdrawn since, which nobody may see any more.
        demanded: beside the filters: by words that messages must have or must not.
    """

    def __init__(
        self,
        stored: StoredCorpus,
        table: MessageTable,
        texts: TextVectors | None,
        gone: Sequence[int] = (),
        demanded: Sequence[Test] = (),
    ) -> None:
        self._connection = stored.connection
        self._workspace_id = stored.where["workspace_id"]
        self._table = table
        self._texts = texts or TextVectors()
        self._tests = (*(stored.restriction.tests or ()), *demanded)
        self._count = table.count
        self._below = stored.below
        self._gone = np.array(gone, dtype=np.int64)
        self.is_narrow = bool(self._tests)
        self.few_texts = FEW_TEXTS

    def behind(self, nearest: Nearest, most: int) -> list[MeaningHit]:
        texts = self._texts.texts_of(np.array(nearest.ids, dtype=np.int64), self._table.text_keys)
        rows = np.full(len(texts), NO_ROW, np.int64)
        is_known = texts != ABSENT
        rows[is_known] = self._latest(texts[is_known])
        found = np.flatnonzero(rows != NO_ROW)[:most]
        ids = self._column("ids")[rows[found]].tolist()
        keys = unpacked(self._table.text_keys.of(texts[found]))
        return [
            MeaningHit(id_, key, nearest.cosines[place])
            for id_, key, place in zip(ids, keys, found.tolist(), strict=True)
        ]

    def vectors(self, limit: int | None) -> Ids | None:
        texts = self._column("texts")[self._allowed]
        is_there = np.zeros(len(self._table.text_keys) + 1, dtype=np.bool_)
        is_there[texts] = True  # those without a text at the end
        numbers = np.flatnonzero(is_there[:-1])
        if limit is not None and len(numbers) > limit:
            return None
        found = self._texts.of_texts(numbers, self._table.text_keys)
        return np.sort(found[found != ABSENT])

    def kept_in(self, lookup: Lookup) -> Kept:
        """Who of those that have words may be found."""
        return lookup.kept_where(self._is_kept, self._table)

    def kept(self, ids: Sequence[int]) -> dict[int, UUID | None]:
        rows = self._rows(np.array(ids, dtype=np.int64))
        return dict(zip(self._column("ids")[rows].tolist(), self._keys(rows), strict=True))

    def vectors_of(self, keys: Collection[UUID]) -> dict[UUID, int]:
        vectors = self._texts.vectors_of(packed(keys)).tolist()
        return {key: id_ for key, id_ in zip(keys, vectors, strict=True) if id_ != ABSENT}

    def share(self) -> float | None:
        return len(self._allowed) / max(1, self._count)

    def surroundings(self, seeds: Sequence[int]) -> Surroundings:
        seeded = self._table.find(np.array(sorted(seeds), dtype=np.int64))
        windows = [self._window(row).tolist() for row in seeded[seeded != NO_ROW].tolist()]
        found = stretches([window for window in windows if window])
        sizes = [len(stretch) for stretch in found]
        rows = np.fromiter((row for stretch in found for row in stretch), dtype=np.int64)
        authors = self._column("authors")[rows].astype(np.int64)
        addressed = self._column("addressed")[rows]
        spoken = Spoken(
            stretches=np.repeat(np.arange(len(found)), sizes),
            authors=authors,
            at=self._column("sent_at")[rows] / MICROSECONDS,
            addressed=addressed,
            keys=self._column("keys")[rows],
            answers=self._column("answers")[rows],
            threads=self._column("threads")[rows],
            names=self._names(set(authors.tolist())) if addressed.any() else {},
        )
        return Surroundings(
            ids=self._column("ids")[rows],
            spoken=spoken,
            text_keys=lambda places: self._keys(rows[places]),
            vector_ids=self._vectors_of_rows(rows),
            may_be_found=self._may_be_found(rows),
        )

    def having(self, keys: Collection[Key]) -> Ids:
        """The messages with these texts, and those of these ids."""
        texts = self._table.text_keys.find(packed(key for key in keys if isinstance(key, UUID)))
        rows = np.flatnonzero(self._have(self._column("texts")[: self._count], texts))
        ids = [key for key in keys if isinstance(key, int)]
        return np.union1d(self._column("ids")[rows], np.array(ids, dtype=np.int64))

    def counts(self, ids: Ids | None) -> Counts:
        """Of those of these messages that may be found; None: of all that may."""
        rows = self._rows(ids)
        months = self._column("sent_at")[rows].astype("datetime64[us]").astype("datetime64[M]")
        numbers = months.astype(np.int64)
        first = int(numbers.min(initial=0))
        found = np.bincount(numbers - first)
        return Counts(
            authors=occurrences(self._column("authors")[rows], self._table.authors),
            conversations=occurrences(self._column("talks")[rows], self._table.talks),
            months=Counter(
                {
                    np.datetime64(number + first, "M").astype(object): int(found[number])
                    for number in np.flatnonzero(found).tolist()
                }
            ),
        )

    def by_time(
        self, ids: Ids | None, *, is_oldest: bool, last: tuple[int, int] | None, limit: int
    ) -> list[tuple[int, int]]:
        """
        The ids and times (microseconds since 1970) of those that may be found, in their order.

        Args:
            ids: of the messages to look at; None: all.
            last: time and id behind which they begin.
        """
        rows = self._rows(ids)
        times, numbers = self._column("sent_at")[rows], self._column("ids")[rows]
        if last is not None:
            at, id_ = last
            is_tied = times == at
            is_behind = (
                (times > at) | (is_tied & (numbers > id_))
                if is_oldest
                else (times < at) | (is_tied & (numbers < id_))
            )
            times, numbers = times[is_behind], numbers[is_behind]
        keys = times if is_oldest else -times
        if len(keys) > limit:
            # All that are as early as the last one: which of those come first is still to be seen.
            kept = np.flatnonzero(keys <= np.partition(keys, limit - 1)[limit - 1])
            times, numbers, keys = times[kept], numbers[kept], keys[kept]
        order = np.lexsort((numbers if is_oldest else -numbers, keys))[:limit]
        return list(zip(numbers[order].tolist(), times[order].tolist(), strict=True))

    def _rows(self, ids: Ids | None) -> Rows:
        if ids is None:
            return np.flatnonzero(self._is_kept)
        rows = self._table.find(ids)
        rows = rows[rows != NO_ROW]
        kept: Rows = rows[self._may_be_found(rows)]
        return kept

    @cached_property
    def _is_kept(self) -> IsKept:
        """By row, whether the filters and the moment let it be found."""
        kept = self._column("alive")[: self._count] & (
            self._column("ids")[: self._count] < self._below
        )
        gone = self._table.find(self._gone)
        kept[gone[(gone != NO_ROW) & (gone < self._count)]] = False
        for test in self._tests:
            kept &= test(self._table, self._count)
        return kept

    @cached_property
    def _allowed(self) -> Rows:
        return np.flatnonzero(self._is_kept)

    def _may_be_found(self, rows: Rows) -> NDArray[np.bool_]:
        if not self._tests:
            return self._exists(rows)
        # Rows that came while this looks belong to no answer yet.
        is_there = rows < self._count
        return is_there & self._is_kept[np.where(is_there, rows, 0)]

    def _exists(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which rows are there at the moment that the answer is of."""
        ids = self._column("ids")[rows]
        exists: NDArray[np.bool_] = self._column("alive")[rows] & (ids < self._below)
        if len(self._gone):
            exists &= ~np.isin(ids, self._gone)
        return exists

    def _latest(self, texts: NDArray[np.int64]) -> Rows:
        """Of each text the row that was sent last of those that may be found."""
        if self.is_narrow:
            return self._latest_among(self._allowed, texts)
        rows = self._table.latest(texts)
        is_right = rows != NO_ROW
        is_right[is_right] = self._exists(rows[is_right])
        if not is_right.all():
            # Its last message came later, or is gone: one before it may be there.
            rows[~is_right] = self._latest_among(self._allowed, texts[~is_right])
        return rows

    def _latest_among(self, allowed: Rows, texts: NDArray[np.int64]) -> Rows:
        column = self._column("texts")[allowed]
        is_asked = self._have(column, texts)
        having, column = allowed[is_asked], column[is_asked]
        order = np.lexsort((self._column("ids")[having], self._column("sent_at")[having]))
        latest = np.full(int(texts.max(initial=0)) + 1, NO_ROW, np.int64)
        latest[column[order]] = having[order]
        return latest[texts]

    @staticmethod
    def _have(column: NDArray[np.int32], texts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows have one of these texts. Rows may get other texts while this looks."""
        is_asked = np.zeros(int(texts.max(initial=0)) + 2, dtype=np.bool_)
        is_asked[texts[texts != ABSENT] + 1] = True
        return np.take(is_asked, column + 1, mode="clip") & (column + 1 < len(is_asked))

    def _window(self, row: int) -> Rows:
        """A row and those around it in its conversation; empty if it has just moved."""
        sequences, sent_at = self._table.sequences, int(self._column("sent_at")[row])
        sequence = sequences.of(int(self._column("talks")[row]))
        place = sequences.place_of(sequence, row, sent_at)
        if place >= len(sequence.rows) or sequence.rows[place] != row:
            return np.empty(0, np.int64)
        reach = AROUND
        while True:
            first, end = max(0, place - reach), place + 1 + reach
            before = self._of_then(sequence.rows[first : place + 1])
            after = self._of_then(sequence.rows[place + 1 : end])
            is_whole = first == 0 and end >= len(sequence.rows)
            if is_whole or (len(before) > AROUND and len(after) >= AROUND):
                return np.concatenate([before[-AROUND - 1 :], after[:AROUND]])
            reach *= GROWTH

    def _of_then(self, rows: NDArray[np.int32]) -> Rows:
        return rows[self._exists(rows)].astype(np.int64)

    def _names(self, authors: set[int]) -> dict[int, str]:
        """What people are called: it changes, and is asked for only where somebody is named."""
        ids = {self._table.authors.values[author]: author for author in authors if author >= 0}
        values = {"workspace": self._workspace_id, "ids": list(ids)}
        return {ids[id_]: name or "" for id_, name in self._connection.execute(NAMES, values)}

    def _keys(self, rows: Rows) -> list[UUID | None]:
        texts = self._column("texts")[rows]
        keys = iter(unpacked(self._table.text_keys.of(texts[texts >= 0])))
        return [next(keys) if text >= 0 else None for text in texts.tolist()]

    def _vectors_of_rows(self, rows: Rows) -> Ids:
        texts = self._column("texts")[rows]
        vectors = np.full(len(rows), ABSENT, np.int64)
        has_text = texts >= 0
        vectors[has_text] = self._texts.of_texts(texts[has_text], self._table.text_keys)
        return vectors

    def _column(self, name: str) -> NDArray[Any]:
        return self._table.column(name)


def occurrences(numbers: NDArray[np.int32], codes: Codes[UUID]) -> Counter[UUID]:
    """How often each value stands there."""
    counts = np.bincount(numbers[numbers >= 0])
    there = np.flatnonzero(counts).tolist()
    return Counter({codes.values[number]: int(counts[number]) for number in there})
