"""What the database knows of the system's state: looked at when somebody asks, and not for long."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row

from infrastructure.discretion import describe
from infrastructure.jobs.queue import GAUGES, QueueGauge
from infrastructure.postgres.migrations import revision_of
from infrastructure.projections import registry
from infrastructure.projections.registry import VersionStatus

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2.0
FRESH_SECONDS = 1.0  # two scrapes within that long share an answer
# A worker that works on several queues has a row for each.
WORKERS = """
SELECT count(*) FROM jobs.procrastinate_workers
WHERE last_heartbeat > clock_timestamp() - interval '30 seconds'
"""
HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.archive_events"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    head: int  # the log's last position
    projections: list[VersionStatus]  # every version of every read model
    queues: list[QueueGauge]
    workers: int  # queues that somebody works on, by their heartbeats
    revision: str | None = None  # of the write side's schema; None: never migrated

    @property
    def read(self) -> list[VersionStatus]:
        """The version of each read model that is read."""
        return [version for version in self.projections if version.is_read]

    @property
    def building(self) -> list[VersionStatus]:
        """The versions that rebuilds are at."""
        return [version for version in self.projections if version.status == "building"]


class DatabaseStates:
    """
    Looks in a thread of its own, on a connection of its own: a database that hangs, or a pool
    that is full, never keeps a scrape waiting.
    """

    def __init__(self, conninfo: str) -> None:
        options = conninfo_to_dict(conninfo).get("options") or ""
        milliseconds = int(TIMEOUT_SECONDS * 1000)
        self._conninfo = make_conninfo(
            conninfo,
            options=f"{options} -c statement_timeout={milliseconds}".strip(),
            connect_timeout=2,
            tcp_user_timeout=milliseconds,
        )
        self._connection: Connection[Any] | None = None
        self._lock = threading.Lock()
        self._state: DatabaseState | None = None
        self._looked_at = float("-inf")
        self._look: threading.Thread | None = None

    def state(self) -> DatabaseState | None:
        """None if the database does not answer in time."""
        with self._lock:
            if time.monotonic() - self._looked_at < FRESH_SECONDS:
                return self._state
            if self._look is None or not self._look.is_alive():
                self._look = threading.Thread(target=self._run, name="database-state", daemon=True)
                self._look.start()
            look = self._look
        look.join(TIMEOUT_SECONDS)
        return None if look.is_alive() else self._state

    def close(self) -> None:
        with self._lock:
            look, connection = self._look, self._connection
        if look is not None:
            look.join(TIMEOUT_SECONDS)
        if connection is not None:
            connection.close()

    def _run(self) -> None:
        try:
            state = self._ask()
        except Exception as error:  # noqa: BLE001 - what was seen before must not count as fresh
            if not isinstance(error, psycopg.OperationalError):
                log.warning("the state of the database is not known: %s", describe(error))
            state = None
            self._drop()
        self._state, self._looked_at = state, time.monotonic()

    def _ask(self) -> DatabaseState:
        try:
            return look_at(self._connected())
        except psycopg.OperationalError:
            if self._connection is not None and not self._connection.closed:
                raise  # it took too long, and would again
            self._drop()  # the server was restarted since the last look
            return look_at(self._connected())

    def _connected(self) -> Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._conninfo, autocommit=True)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def look_at(connection: Connection[Any]) -> DatabaseState:
    """
    Raises:
        psycopg.Error
    """
    projections = registry.status(connection)
    with connection.cursor(row_factory=class_row(QueueGauge)) as cursor:
        queues = cursor.execute(GAUGES).fetchall()
    [workers] = connection.execute(WORKERS).fetchone() or [0]
    [head] = connection.execute(HEAD).fetchone() or [0]
    return DatabaseState(
        head=head,
        projections=projections,
        queues=queues,
        workers=workers,
        revision=revision_of(connection),
    )
