"""What a pass over an export has to remember of its messages, on disk if there are many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from types import TracebackType
from typing import NamedTuple, Self
from uuid import UUID

import orjson

from projections.messages.records import Key

_CACHE_KIB = 16 * 1024  # of memory; what is beyond goes to a file that nobody else can open
_ASKED = 500  # keys in one statement; SQLite takes 999 and more


class Remembered(NamedTuple):
    """A message as this export has left it."""

    text: str  # digest
    is_own: bool  # no earlier upload has it
    kind: str
    precision: str
    edited_at: datetime | None
    superseded: frozenset[str]  # digests


class Matched(NamedTuple):
    """A message of the archive."""

    conversation: UUID
    sent_at: int  # microseconds since 1970, at the earliest
    ends: int  # at the latest
    is_notice: bool
    has_attachments: bool


class Memory:
    """
    Holds digests, no texts: the file is deleted with the process, but a disk forgets slowly.

    Of one thread.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, state BLOB) WITHOUT ROWID")
        self._database.execute(
            "CREATE TABLE matched (conversation BLOB, sent_at INTEGER, ends INTEGER, "
            "is_notice INTEGER, has_attachments INTEGER)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def recall(self, keys: Iterable[Key]) -> dict[Key, Remembered]:
        """Those that this pass has seen before."""
        by_digest = {_digest(key): key for key in keys}
        digests = list(by_digest)
        found: dict[Key, Remembered] = {}
        for start in range(0, len(digests), _ASKED):
            asked = digests[start : start + _ASKED]
            marks = ",".join("?" * len(asked))
            query = f"SELECT key, state FROM seen WHERE key IN ({marks})"
            for digest, state in self._database.execute(query, asked):
                found[by_digest[digest]] = _opened(state)
        return found

    def remember(self, seen: Mapping[Key, Remembered]) -> None:
        rows = [(_digest(key), _packed(state)) for key, state in seen.items()]
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", rows)
        self._database.execute("COMMIT")

    def match(self, found: Iterable[Matched]) -> None:
        """Note messages of the archive that the export has, too."""
        rows = [(one.conversation.bytes, *one[1:]) for one in found]
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO matched VALUES (?, ?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def matched(self) -> None:
        """Make ready for `matched_between`."""
        self._database.execute(
            "CREATE INDEX IF NOT EXISTS by_time ON matched (conversation, sent_at)"
        )

    def matched_between(
        self,
        conversation: UUID,
        first: int,
        last: int,
        *,
        with_notices: bool = True,
        with_attachments: bool = True,
    ) -> int:
        """Of those that can have been sent in this time only."""
        query = (
            "SELECT count(*) FROM matched WHERE conversation = ? AND sent_at >= ? AND ends <= ? "
            "AND is_notice <= ? AND has_attachments <= ?"
        )
        values = (conversation.bytes, first, last, with_notices, with_attachments)
        row = self._database.execute(query, values).fetchone()
        return int(row[0])


def _digest(key: Key) -> bytes:
    conversation, message = key
    return blake2b(conversation.bytes + message.encode(), digest_size=16).digest()


def _packed(state: Remembered) -> bytes:
    at = None if state.edited_at is None else state.edited_at.isoformat()
    fields = [state.text, state.is_own, state.kind, state.precision, at, list(state.superseded)]
    return orjson.dumps(fields)


def _opened(packed: bytes) -> Remembered:
    text, is_own, kind, precision, at, superseded = orjson.loads(packed)
    edited_at = None if at is None else datetime.fromisoformat(at)
    return Remembered(text, is_own, kind, precision, edited_at, frozenset(superseded))
