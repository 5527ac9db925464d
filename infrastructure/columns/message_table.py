"""One workspace's messages, a row each: who, where, when, of what kind, with which text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from infrastructure.columns.codes import NONE, Codes
from infrastructure.columns.keys import KeyTable, grown, packed
from infrastructure.columns.talks import Talks

LINK, ATTACHMENT, REACTION, REPLY = 1, 2, 4, 8
NO_ROW = -1

Rows = NDArray[np.int64]
COLUMNS: dict[str, type] = {
    "ids": np.int64,
    "sent_at": np.int64,  # microseconds since 1970
    "talks": np.int32,
    "authors": np.int32,
    "kinds": np.int8,
    "languages": np.int16,
    "features": np.uint8,  # LINK, ATTACHMENT, REACTION, REPLY
    "texts": np.int32,
    # What links messages: numbers that differ where the texts do. 0: there is none.
    "keys": np.int64,
    "answers": np.int64,
    "threads": np.int64,
    "addressed": np.int64,
    "alive": np.bool_,
}


class Told(NamedTuple):
    """What the read model tells of a message."""

    message_id: int
    conversation_id: UUID
    author_id: UUID | None
    sent_at: int  # microseconds since 1970
    kind: str
    language: str | None
    features: int
    text_key: UUID | None
    key: int
    answers: int
    thread: int
    addressed: int


class MessageTable:
    """
    One thread changes it; others may read meanwhile. A row stays a row: what is told anew takes the
    place of what was told, and what is removed is dead.
    """

    def __init__(self) -> None:
        self.talks: Codes[UUID] = Codes()
        self.authors: Codes[UUID] = Codes()
        self.kinds: Codes[str] = Codes()
        self.languages: Codes[str] = Codes()
        self.text_keys = KeyTable()
        self.sequences = Talks(lambda rows: self._columns["ids"][rows])
        self._columns: dict[str, NDArray[Any]] = {
            name: np.empty(0, dtype) for name, dtype in COLUMNS.items()
        }
        self._count = 0
        self._dead = 0
        self._by_id: NDArray[np.int32] | None = None  # rows by id; None: they are in this order
        self._latest: NDArray[np.int32] = np.empty(0, np.int32)  # by text

    def __len__(self) -> int:
        return self._count - self._dead

    @property
    def count(self) -> int:
        """Rows, dead ones included. Read it first: what came later is beyond it."""
        return self._count

    @property
    def dead(self) -> int:
        return self._dead

    @property
    def memory_bytes(self) -> int:
        """About; what comes once a person or a talk is little."""
        columns = sum(column.nbytes for column in self._columns.values())
        by_id = 0 if self._by_id is None else self._by_id.nbytes
        others = self.text_keys.memory_bytes + self.sequences.memory_bytes
        return columns + by_id + others + self._latest.nbytes

    def column(self, name: str) -> NDArray[Any]:
        """By row; longer than `count` may be."""
        return self._columns[name]

    def latest(self, texts: NDArray[np.int64]) -> Rows:
        """Of each text the row that was sent last; NO_ROW where no message has it any more."""
        latest = self._latest
        if not len(latest):
            return np.full(len(texts), NO_ROW, np.int64)
        # A text that comes while this looks has no message yet.
        rows = latest[np.minimum(texts, len(latest) - 1)].astype(np.int64)
        return np.where(texts < len(latest), rows, NO_ROW)

    def find(self, ids: NDArray[np.int64]) -> Rows:
        """The row of each message; NO_ROW where it is not there or dead."""
        rows = self._find(ids)
        if not self._count:
            return rows
        return np.where(self._columns["alive"][rows], rows, NO_ROW)

    def add(self, told: Iterable[Told]) -> None:
        """Add messages, or tell them anew: of equal ids the last counts."""
        last = {one.message_id: one for one in told}
        if not last:
            return
        messages = [last[id_] for id_ in sorted(last)]
        values = self._coded(messages)
        rows = self._find(values["ids"])
        is_new = rows == NO_ROW
        if (~is_new).any():
            self._tell_anew(rows[~is_new], {n: column[~is_new] for n, column in values.items()})
        if is_new.any():
            self._append({name: column[is_new] for name, column in values.items()})

    def remove(self, ids: Iterable[int]) -> None:
        rows = self.find(np.unique(np.fromiter(ids, dtype=np.int64)))
        rows = rows[rows != NO_ROW]
        self._columns["alive"][rows] = False
        self._dead += len(rows)
        self._find_latest(self._columns["texts"][rows])

    def _find(self, ids: NDArray[np.int64]) -> Rows:
        """As `find`, dead rows, too: a message that comes again has its row again."""
        count, by_id = self._count, self._by_id
        if by_id is not None:
            count = len(by_id)
        if not count:
            return np.full(len(ids), NO_ROW, np.int64)
        known = self._columns["ids"][:count]
        rows = np.minimum(np.searchsorted(known, ids, sorter=by_id), count - 1)
        if by_id is not None:
            rows = by_id[rows].astype(np.int64)
        return np.where(known[rows] == ids, rows, NO_ROW)

    def _coded(self, messages: Sequence[Told]) -> dict[str, NDArray[Any]]:
        texts = np.full(len(messages), NONE, np.int64)
        has_text = np.array([one.text_key is not None for one in messages], dtype=np.bool_)
        keys = [one.text_key for one in messages if one.text_key is not None]
        texts[has_text] = self.text_keys.add(packed(keys))
        found: dict[str, Any] = {
            "ids": [one.message_id for one in messages],
            "sent_at": [one.sent_at for one in messages],
            "talks": [self.talks.number(one.conversation_id) for one in messages],
            "authors": [self.authors.number(one.author_id) for one in messages],
            "kinds": [self.kinds.number(one.kind) for one in messages],
            "languages": [self.languages.number(one.language) for one in messages],
            "features": [one.features for one in messages],
            "texts": texts,
            "keys": [one.key for one in messages],
            "answers": [one.answers for one in messages],
            "threads": [one.thread for one in messages],
            "addressed": [one.addressed for one in messages],
            "alive": np.ones(len(messages), dtype=np.bool_),
        }
        return {name: np.asarray(found[name], dtype=dtype) for name, dtype in COLUMNS.items()}

    def _append(self, values: dict[str, NDArray[Any]]) -> None:
        first, ids = self._count, values["ids"]
        follows = not first or ids[0] > self._last_id()
        for name, column in values.items():
            self._columns[name] = grown(self._columns[name], first, column)
        rows = np.arange(first, first + len(ids), dtype=np.int32)
        if not follows or self._by_id is not None:
            by_id = np.arange(first, dtype=np.int32) if self._by_id is None else self._by_id
            known = self._columns["ids"][by_id]
            self._by_id = np.insert(by_id, np.searchsorted(known, ids), rows)
        self._count = first + len(ids)
        self.sequences.add(rows, values["talks"], values["sent_at"])
        self._raise_latest(rows)

    def _last_id(self) -> int:
        ids = self._columns["ids"]
        return int(ids[self._count - 1] if self._by_id is None else ids[self._by_id[-1]])

    def _tell_anew(self, rows: Rows, values: dict[str, NDArray[Any]]) -> None:
        columns = self._columns
        is_elsewhere = (columns["sent_at"][rows] != values["sent_at"]) | (
            columns["talks"][rows] != values["talks"]
        )
        moved = rows[is_elsewhere].astype(np.int32)
        self.sequences.remove(moved, columns["talks"][moved])
        texts = np.union1d(columns["texts"][rows], values["texts"])
        self._dead -= int((~columns["alive"][rows]).sum())
        for name, column in values.items():
            columns[name][rows] = column
        self.sequences.add(moved, columns["talks"][moved], columns["sent_at"][moved])
        self._find_latest(texts)

    def _raise_latest(self, rows: NDArray[np.int32]) -> None:
        """Some rows are new."""
        texts = self._columns["texts"][rows]
        rows, texts = rows[texts != NONE], texts[texts != NONE]
        more = np.full(len(self.text_keys) - len(self._latest), NO_ROW, np.int32)
        self._latest = np.concatenate([self._latest, more])
        before = self._latest[texts]
        self._put_last(self._latest, np.union1d(rows, before[before != NO_ROW]))

    def _find_latest(self, texts: NDArray[np.int32]) -> None:
        """Anew, of some texts."""
        texts = np.unique(texts[texts != NONE])
        more = np.full(len(self.text_keys) - len(self._latest), NO_ROW, np.int32)
        # Not in place: nobody shall miss a message while its text is looked for.
        latest = np.concatenate([self._latest, more])
        is_asked = np.zeros(len(latest) + 1, dtype=np.bool_)
        is_asked[texts] = True
        has_text = is_asked[self._columns["texts"][: self._count]]
        latest[texts] = NO_ROW
        alive = self._columns["alive"][: self._count]
        self._put_last(latest, np.flatnonzero(has_text & alive).astype(np.int32))
        self._latest = latest

    def _put_last(self, latest: NDArray[np.int32], rows: NDArray[np.int32]) -> None:
        """Of several rows with one text the last one stays."""
        order = rows[np.lexsort((self._columns["ids"][rows], self._columns["sent_at"][rows]))]
        latest[self._columns["texts"][order]] = order
