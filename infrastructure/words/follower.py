"""Words in this process: one inverted index a workspace, which follows the messages read model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from infrastructure.following import Follower
from infrastructure.postgres.notifications import NotificationHub
from infrastructure.words.inverted_index import InvertedIndex
from infrastructure.words.rows import CHANGED, COUNT, ONE_VIEW, POSITION, REMOVED, lexemes

log = logging.getLogger(__name__)

PAGE = 20_000  # messages
LAST_ID = 2**62  # beyond every message's
# A follower that is alive looks at least every second.
MOST_SECONDS_BEHIND = 3.0


class Known(NamedTuple):
    """The words of a workspace, and the log position that they reflect."""

    words: InvertedIndex
    position: int


class WordsFollower(Follower):
    """What it lost, or a restart, costs the time of reading the words again, never an answer."""

    def __init__(self, *, hub: NotificationHub, pool: ConnectionPool[Any]) -> None:
        super().__init__(hub=hub, pool=pool, read_model="messages")
        self._indexes: dict[UUID, InvertedIndex] = {}
        self._position = 0  # everything up to here is in the indexes

    @property
    def position(self) -> int:
        return self._position

    @property
    def memory_bytes(self) -> int:
        return sum(index.memory_bytes for index in list(self._indexes.values()))

    def __len__(self) -> int:
        return sum(len(index) for index in list(self._indexes.values()))

    def words_of(self, workspace_id: UUID, position: int) -> Known | None:
        """
        None: it has not reached the position, or is not to be believed; then PostgreSQL answers.
        """
        # In this order: whoever empties the indexes says first that they hold nothing.
        indexes, reached = self._indexes, self._position
        behind = self.seconds_behind
        is_alive = behind is not None and behind < MOST_SECONDS_BEHIND
        if not (self.is_trusted and is_alive) or reached < position:
            return None
        return Known(indexes.get(workspace_id) or InvertedIndex(), reached)

    def catch_up(self, connection: Connection[Any]) -> int:
        turns = self._turns
        with connection.transaction():
            connection.execute(ONE_VIEW)
            target, version = connection.execute(POSITION).fetchone() or (0, 0)
            is_other = self._checked is not None and self._checked[0] != version
            if is_other or self._position > target:
                self._forget()  # rebuilt, or restored: the same messages may have other words
            taken = self._take(connection, target)
            if (version, turns) != self._checked and not self._is_whole(connection):
                self._forget()
                taken = self._take(connection, target)
            if not self._stopping.is_set():
                self._checked = (version, turns)
        return taken

    def _take(self, connection: Connection[Any], target: int) -> int:
        self._remove(connection, target)
        taken = 0
        place = (self._position, LAST_ID)
        while not self._stopping.is_set():
            values = (*place, target, PAGE)
            rows = connection.execute(CHANGED, values, binary=True).fetchall()
            self._add(rows)
            taken += len(rows)
            if len(rows) < PAGE:
                self._position = max(self._position, target)
                break
            place = rows[-1][:2]
        return taken

    def _forget(self) -> None:
        # In this order: who searches meanwhile looks at the indexes first.
        self._checked = None
        self._position = 0
        self._indexes = {}

    def _add(self, rows: Sequence[tuple[int, int, UUID, bytes]]) -> None:
        by_workspace: dict[UUID, list[tuple[int, list[tuple[str, int]]]]] = {}
        for _, message_id, workspace_id, words in rows:
            told = (message_id, list(lexemes(words)))
            by_workspace.setdefault(workspace_id, []).append(told)
        for workspace_id, messages in by_workspace.items():
            index = self._indexes.get(workspace_id) or InvertedIndex()
            index.add(messages)
            self._indexes[workspace_id] = index

    def _remove(self, connection: Connection[Any], target: int) -> None:
        by_workspace: dict[UUID, list[int]] = {}
        for workspace_id, message_id in connection.execute(REMOVED, (self._position, target)):
            by_workspace.setdefault(workspace_id, []).append(message_id)
        for workspace_id, ids in by_workspace.items():
            if index := self._indexes.get(workspace_id):
                index.remove(ids)

    def _is_whole(self, connection: Connection[Any]) -> bool:
        """
        Whether what is in memory may be what the database has, as far as counting tells. One that
        was restored, or rebuilt after an erasure, may hold less.
        """
        row = connection.execute(COUNT).fetchone()
        expected = 0 if row is None else int(row[0])
        if len(self) != expected:
            log.warning(
                "%s messages up to position %s are in memory, where PostgreSQL has %s: their words "
                "are read again",
                len(self),
                self._position,
                expected,
            )
        return len(self) == expected
