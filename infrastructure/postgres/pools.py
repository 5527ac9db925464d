"""How every pool of connections is made: impatient, and quick to be whole again."""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.pq import ConnStatus
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout
from psycopg_pool.base import AttemptWithBackoff

from infrastructure.postgres.connection import GuardedConnection
from infrastructure.postgres.patience import limited
from infrastructure.postgres.watch import GRACE_SECONDS, DatabaseWatch

WAIT_SECONDS = 3.0  # for a connection
REFUSED_SECONDS = 1.0  # for one, while the server takes no new ones
RETRY_SECONDS = 0.5  # after an attempt to connect that failed
GIVE_UP_SECONDS = 10.0  # then a connection is opened only when somebody asks for one
CLOSE_SECONDS = 1.0
DRAIN_SECONDS = 1.0  # between two times that every idle connection is replaced
MAX_WORDS = 8  # that a server sends without being asked


class Pool(ConnectionPool[GuardedConnection]):
    """
    Of psycopg, with four differences.

    While the database is away for longer than a restart takes, whoever asks for a connection is
    told so at once: waiting would only fill the threads. Attempts to connect follow each other
    in even, short steps: the stock ones double up to minutes, and would be late when it is back.
    Whether a connection still stands is seen from its socket, not by asking the server each time.
    One that does not is passed over at once, not after a pause of a second, and then of two.

    Attributes:
        watch: None: nobody knows, so that each waits for itself.
    """

    watch: DatabaseWatch | None = None

    def __init__(
        self, conninfo: str, *, max_size: int, watch: DatabaseWatch | None = None, **facts: Any
    ) -> None:
        super().__init__(
            conninfo,
            **{
                "connection_class": GuardedConnection,
                "min_size": 1,
                "timeout": WAIT_SECONDS,
                "reconnect_timeout": GIVE_UP_SECONDS,
                "check": require_open,
                **facts,
            },
            max_size=max_size,
        )
        if watch is not None:
            self.follow(watch)

    def follow(self, watch: DatabaseWatch) -> None:
        """From now on, know what the watch knows."""
        self.watch = watch
        watch.on_leave(self._let_go)

    def getconn(self, timeout: float | None = None) -> GuardedConnection:
        timeout = limited(self.timeout if timeout is None else timeout)
        watch = self.watch
        if watch is None:
            return super().getconn(timeout)
        watch.require_present()
        if watch.is_away:
            patience = GRACE_SECONDS - watch.away_seconds
            timeout = min(timeout, max(patience, 0.001))
        elif watch.is_refused:
            timeout = min(timeout, REFUSED_SECONDS)
        try:
            return super().getconn(timeout)
        except PoolTimeout:
            watch.suspect()
            raise

    def _getconn_with_check_loop(self, deadline: float) -> GuardedConnection:
        """Without the stock one's pauses: each round takes a closed one away, or connects."""
        while True:
            connection = self._getconn_unchecked(deadline - time.monotonic())
            try:
                self._check_connection(connection)
            except psycopg.Error:
                self._putconn(connection, from_getconn=True)
                if time.monotonic() > deadline:
                    raise PoolTimeout("every connection was closed by the server") from None
            except BaseException:
                self._putconn(connection, from_getconn=True)
                raise
            else:
                return connection

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        super().close(timeout)

    def _let_go(self) -> None:
        """What stands idle may be dead without a sign of it."""
        if not self.closed:
            self.drain()

    def _check_connection(self, conn: GuardedConnection) -> None:
        try:
            super()._check_connection(conn)
        except psycopg.Error:
            # Where one was closed, the others were, too: found one by one, each would cost a wait.
            if time.monotonic() > self._drained_at + DRAIN_SECONDS:
                self.drain()
            if self.watch is not None:
                self.watch.suspect()
            raise

    def _connect(self, timeout: float | None = None) -> GuardedConnection:
        connection = super()._connect(timeout)
        connection.presence = self.watch
        return connection

    def _add_connection(self, attempt: AttemptWithBackoff | None, growing: bool = False) -> None:  # noqa: FBT001, FBT002 - the base class's signature
        super()._add_connection(attempt or EvenSteps(timeout=self.reconnect_timeout), growing)


class SteadyPool(AsyncConnectionPool[AsyncConnection[Any]]):
    """For event loops: only its attempts to connect differ from the stock one's."""

    async def _add_connection(
        self,
        attempt: AttemptWithBackoff | None,
        growing: bool = False,  # noqa: FBT001, FBT002 - the base class's signature
    ) -> None:
        attempt = attempt or EvenSteps(timeout=self.reconnect_timeout)
        await super()._add_connection(attempt, growing)


class EvenSteps(AttemptWithBackoff):
    INITIAL_DELAY = RETRY_SECONDS
    DELAY_BACKOFF = 1.0


def require_open(connection: Connection[Any]) -> None:
    """
    Without a question to the server: one that closed a connection has left a word in the socket.

    Raises:
        psycopg.OperationalError
    """
    pgconn = connection.pgconn
    if pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError("the connection is closed")
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN)
    for _ in range(MAX_WORDS):
        if not poll.poll(0):
            return
        pgconn.consume_input()  # a notice, or why it ends; raises at the end
    raise psycopg.OperationalError("the server says more than was asked for")
