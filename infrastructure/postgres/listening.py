"""A connection that only listens, and whose every wait ends."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus


class ListeningConnection:
    """
    A half-open connection raises an error instead of hanging.

    The driver's own way to execute waits for ever, and its way to wait for notifications cannot
    be woken: so this talks to libpq.

    Args:
        answer_seconds: for connecting, and for each answer.

    Raises:
        psycopg.OperationalError: here, and from every method: when the connection is lost.
    """

    def __init__(self, conninfo: str, *, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._listened: set[str] = set()
        self._connection = psycopg.connect(
            conninfo, autocommit=True, connect_timeout=max(2, round(answer_seconds))
        )
        self._pgconn = self._connection.pgconn
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pgconn.socket, selectors.EVENT_READ)
        self._woken, self._waking = socket.socketpair()
        for end in (self._woken, self._waking):
            end.setblocking(False)  # noqa: FBT003 - the library's own
        self._selector.register(self._woken, selectors.EVENT_READ)
        self.backend_pid = self._pgconn.backend_pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._selector.close()
        self._connection.close()
        self._woken.close()
        self._waking.close()

    def listen(self, channels: Collection[str]) -> None:
        """To these channels and to no others. In force when it returns."""
        for channel in self._listened - set(channels):
            self._command("UNLISTEN", channel)
            self._listened.discard(channel)
        for channel in set(channels) - self._listened:
            self._command("LISTEN", channel)
            self._listened.add(channel)

    def take(self) -> list[tuple[str, str]]:
        """Channel and payload of what was notified so far, in order. Does not wait."""
        self._pgconn.consume_input()
        taken = []
        while (notify := self._pgconn.notifies()) is not None:
            taken.append((notify.relname.decode(), notify.extra.decode(errors="replace")))
        return taken

    def wait(self, timeout_seconds: float) -> None:
        """Until something may have been notified, or somebody wakes it."""
        for key, _ in self._selector.select(max(0.0, timeout_seconds)):
            if key.fileobj is self._woken:
                self._woken.recv(4096)

    def wake(self) -> None:
        """End the wait of another thread, or its next one. Harmless once it is closed."""
        with suppress(OSError):  # full: it wakes anyhow
            self._waking.send(b"!")

    def execute(self, statement: str) -> None:
        """A statement whose answer does not matter, only that there is one."""
        deadline = time.monotonic() + self._answer_seconds
        self._pgconn.send_query(statement.encode())
        with selectors.DefaultSelector() as selector:
            selector.register(self._pgconn.socket, selectors.EVENT_READ)
            while self._pgconn.is_busy():
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise psycopg.OperationalError("the server does not answer")
                self._pgconn.consume_input()
        while (result := self._pgconn.get_result()) is not None:
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result)

    def _command(self, word: str, channel: str) -> None:
        statement = sql.SQL("{} {}").format(sql.SQL(word), sql.Identifier(channel))
        self.execute(statement.as_string(self._connection))
