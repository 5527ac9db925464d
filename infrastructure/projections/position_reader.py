"""Reads the positions of the read models: one thread for all who wait."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from infrastructure.discretion import describe
from infrastructure.projections.known_positions import KnownPositions

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5  # should a notification get lost
PAUSE_SECONDS = 0.02  # what is asked meanwhile is answered by one reading
CONNECTION_SECONDS = 1.0  # to get one
AWAY_SECONDS = 2.0  # after that the database is called out of reach; a restart takes less
STOP_SECONDS = 2.0  # a server that hangs must not keep the process
READ = """
SELECT name, position, status = 'halted' FROM projection.projection
WHERE status IN ('live', 'halted')
"""


class PositionReader:
    """Reads when it is asked to, and now and then while anybody waits."""

    def __init__(self, pool: ConnectionPool[Any], known: KnownPositions) -> None:
        self._pool = pool
        self._known = known
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing_since: float | None = None

    def start(self) -> None:
        if self._thread is None:
            self._stopping = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stopping,), name="positions", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        self._stopping.set()
        self._asked.set()
        if thread is not None:
            thread.join(STOP_SECONDS)

    def ask(self) -> None:
        """Read soon."""
        self._asked.set()

    def _run(self, stopping: threading.Event) -> None:
        while True:
            self._asked.wait(POLL_SECONDS if self._known.is_anybody_waiting else None)
            self._asked.clear()
            if stopping.is_set():
                return
            try:
                self._read()
            except Exception as error:  # noqa: BLE001 - a thread that died would read nothing more
                self._failed(error)
            else:
                self._failing_since = None
            stopping.wait(PAUSE_SECONDS)

    def _read(self) -> None:
        reading = self._known.begin_reading()
        with (
            self._pool.connection(CONNECTION_SECONDS) as connection,
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            rows = cursor.execute(READ, prepare=True).fetchall()
        positions = {name: position for name, position, _ in rows}
        halted = {name for name, _, is_halted in rows if is_halted}
        self._known.end_reading(reading, positions, halted)

    def _failed(self, error: Exception) -> None:
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
            log.warning("the positions of the read models cannot be read: %s", describe(error))
        if now - self._failing_since >= AWAY_SECONDS:
            self._known.give_up(error)
        if self._known.is_anybody_waiting:
            self._asked.set()
        else:
            self._failing_since = None  # nobody tries again until somebody asks
