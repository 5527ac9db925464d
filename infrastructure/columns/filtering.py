"""Filters over columns: which rows a search may find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from application.storable import microseconds
from infrastructure.columns.keys import ABSENT, packed
from infrastructure.columns.message_table import NO_ROW, MessageTable

IsKept = NDArray[np.bool_]  # by row
# Of the first so many rows.
Test = Callable[[MessageTable, int], IsKept]


def of_authors(ids: Iterable[UUID]) -> Test:
    return lambda table, count: table.authors.among(table.column("authors")[:count], ids)


def of_talks(ids: Iterable[UUID]) -> Test:
    return lambda table, count: table.talks.among(table.column("talks")[:count], ids)


def of_texts(keys: Sequence[UUID]) -> Test:
    def test(table: MessageTable, count: int) -> IsKept:
        texts = table.column("texts")[:count]
        is_kept = np.zeros(len(texts), dtype=np.bool_)
        for text in table.text_keys.find(packed(keys)).tolist():
            if text != ABSENT:
                is_kept |= texts == text
        return is_kept

    return test


def of_messages(ids: NDArray[np.int64]) -> Test:
    def test(table: MessageTable, count: int) -> IsKept:
        rows = table.find(ids)
        is_kept = np.zeros(count, dtype=np.bool_)
        is_kept[rows[(rows != NO_ROW) & (rows < count)]] = True
        return is_kept

    return test


def of_messages_or_talks(messages: Sequence[int], talks: Sequence[UUID]) -> Test:
    """Those of these messages, and all of these conversations."""

    of_these, of_those = of_messages(np.array(messages, dtype=np.int64)), of_talks(talks)
    return lambda table, count: of_these(table, count) | of_those(table, count)


def of_kinds(kinds: Iterable[str]) -> Test:
    return lambda table, count: table.kinds.among(table.column("kinds")[:count], kinds)


def in_languages(codes: Iterable[str]) -> Test:
    return lambda table, count: table.languages.among(table.column("languages")[:count], codes)


def having(feature: int) -> Test:
    return lambda table, count: (table.column("features")[:count] & feature) != 0


def sent_from(at: datetime) -> Test:
    return lambda table, count: table.column("sent_at")[:count] >= microseconds(at)


def sent_before(at: datetime) -> Test:
    return lambda table, count: table.column("sent_at")[:count] < microseconds(at)


def without(test: Test) -> Test:
    return lambda table, count: ~test(table, count)
