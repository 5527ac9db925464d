"""Messages in this process, by words and in columns, as the messages read model has them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from infrastructure.columns.message_table import MessageTable
from infrastructure.following import Follower
from infrastructure.postgres.notifications import NotificationHub
from infrastructure.words.inverted_index import InvertedIndex
from infrastructure.words.rows import CHANGED, COUNT, ONE_VIEW, POSITION, REMOVED, lexemes, told

log = logging.getLogger(__name__)

PAGE = 20_000  # messages
LAST_ID = 2**62  # beyond every message's
# A follower that is alive looks at least every second.
MOST_SECONDS_BEHIND = 3.0


class Known(NamedTuple):
    """The messages of a workspace, and the log position that they reflect at least."""

    words: InvertedIndex
    table: MessageTable
    position: int


@dataclass(slots=True)
class Held:
    words: InvertedIndex = field(default_factory=InvertedIndex)
    table: MessageTable = field(default_factory=MessageTable)


class WordsFollower(Follower):
    """What it lost, or a restart, costs the time of reading the words again, never an answer."""

    def __init__(self, *, hub: NotificationHub, pool: ConnectionPool[Any]) -> None:
        super().__init__(hub=hub, pool=pool, read_model="messages")
        self._held: dict[UUID, Held] = {}
        self._position = 0  # everything up to here is in memory

    @property
    def position(self) -> int:
        return self._position

    @property
    def memory_bytes(self) -> int:
        held = list(self._held.values())
        return sum(one.words.memory_bytes + one.table.memory_bytes for one in held)

    def __len__(self) -> int:
        return sum(len(one.words) for one in list(self._held.values()))

    def words_of(self, workspace_id: UUID, position: int) -> Known | None:
        """
        None: it has not reached the position, or is not to be believed; then PostgreSQL answers.
        """
        # In this order: whoever forgets says first that nothing is known.
        held, reached = self._held, self._position
        behind = self.seconds_behind
        is_alive = behind is not None and behind < MOST_SECONDS_BEHIND
        if not (self.is_trusted and is_alive) or reached < position:
            return None
        one = held.get(workspace_id) or Held()
        return Known(one.words, one.table, reached)

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
        # In this order: who searches meanwhile looks at what is held first.
        self._checked = None
        self._position = 0
        self._held = {}

    def _add(self, rows: Sequence[Sequence[Any]]) -> None:
        by_workspace: dict[UUID, list[Sequence[Any]]] = {}
        for row in rows:
            by_workspace.setdefault(row[2], []).append(row)
        for workspace_id, messages in by_workspace.items():
            held = self._held.get(workspace_id) or Held()
            held.words.add((row[1], list(lexemes(row[3]))) for row in messages)
            held.table.add(map(told, messages))
            self._held[workspace_id] = held

    def _remove(self, connection: Connection[Any], target: int) -> None:
        by_workspace: dict[UUID, list[int]] = {}
        for workspace_id, message_id in connection.execute(REMOVED, (self._position, target)):
            by_workspace.setdefault(workspace_id, []).append(message_id)
        for workspace_id, ids in by_workspace.items():
            if held := self._held.get(workspace_id):
                held.words.remove(ids)
                held.table.remove(ids)

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
