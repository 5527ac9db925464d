"""A connection that does not wait for a server that is gone."""

from __future__ import annotations

import time
from typing import Any, Protocol, TypeVar, cast

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg.waiting import Ready

from infrastructure.postgres.patience import given_up

T = TypeVar("T")

ANSWER_SECONDS = 2.0
# Of the kernel and the driver, for networks: a peer that says nothing for so long is gone.
PATIENCE = {
    "connect_timeout": 2,  # seconds; the least that libpq takes
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,  # milliseconds
}


class DatabaseAwayError(psycopg.OperationalError):
    """PostgreSQL does not answer, or cannot be reached."""

    is_quotable = True


class Presence(Protocol):
    """Whether the server answers others."""

    @property
    def is_away(self) -> bool: ...


class GuardedConnection(psycopg.Connection[TupleRow]):
    """
    Gives a statement up, and itself, when its server is known to be away, at its deadline, or
    when nobody waits for the answer any more.

    Attributes:
        presence: asked ten times a second while a statement waits.
        deadline: of `time.monotonic`; what still waits then is given up.
    """

    presence: Presence | None = None
    deadline: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        return super().wait(given_up(self, self._guarded(gen)), interval, timeout)

    def _guarded(self, gen: PQGen[T]) -> PQGen[T]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready == Ready.NONE and self._is_given_up():
                    self.pgconn.finish()  # a late answer must not be taken for the next one's
                    raise DatabaseAwayError("the database does not answer")
                wanted = gen.send(ready)
        except StopIteration as end:
            return cast("T", end.value)

    def _is_given_up(self) -> bool:
        if self.presence is not None and self.presence.is_away:
            return True
        return self.deadline is not None and time.monotonic() > self.deadline


def answers(conninfo: str, *, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether one can connect just now, and ask. Ends soon in any case."""
    try:
        with GuardedConnection.connect(impatient(conninfo), autocommit=True) as connection:
            connection.deadline = time.monotonic() + seconds
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def impatient(conninfo: str) -> str:
    """With limits to waiting for a network; what the connection string says itself, stays."""
    parts: dict[str, Any] = {**PATIENCE, **conninfo_to_dict(conninfo)}
    return make_conninfo(**parts)
