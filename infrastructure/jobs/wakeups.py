"""Wakes the projections after a commit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection

from infrastructure.jobs.app import jobs_conninfo

logger = logging.getLogger(__name__)

# One waiting job for each projection at most. A job that waits now, after the commit, starts
# later and so sees what was committed: there is no need for a second one. In order of name, so
# that two processes that do this at the same time cannot wait for each other.
ADVANCE = """
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
SELECT 'projections', 'projections:advance', 'projection:' || name, 'projection:' || name,
       jsonb_build_object('name', name)
FROM {behind} AS behind (name)
ORDER BY name
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING args ->> 'name' AS name
"""
# Whose definition this process has. Nobody can step the tables of another one before a rebuild:
# its job would come to nothing, after every commit.
IS_KNOWN = """
(%(names)s::text[] IS NULL OR (p.name, p.code_version) IN (
    SELECT * FROM unnest(%(names)s::text[], %(code_versions)s::int[])
))"""
# A retired version is kept up to date, too, so that one can go back to it.
WAKE = ADVANCE.format(
    behind=f"""(
    SELECT DISTINCT p.name
    FROM projection.projection AS p LEFT JOIN projection.failure AS f USING (name, version)
    WHERE p.status IN ('live', 'retired') AND f.name IS NULL AND {IS_KNOWN}
      AND p.position < (SELECT coalesce(max(notification_id), 0) FROM log.archive_events)
)"""
)
WAKE_ONE = ADVANCE.format(behind="(SELECT %s::text)")
CONNECT_SECONDS = 2


def known_values(code_versions: Mapping[str, int] | None) -> dict[str, list[Any] | None]:
    """
    Parameters of `IS_KNOWN`.

    Args:
        code_versions: by name, of the read models that this process has; None: of all.
    """
    if code_versions is None:
        return {"names": None, "code_versions": None}
    return {"names": list(code_versions), "code_versions": list(code_versions.values())}


def wake_projection(connection: Connection[Any], name: str) -> bool:
    """Ask for one projection to be advanced. False if that is waiting to be done already."""
    return connection.execute(WAKE_ONE, (name,)).rowcount > 0


class Waker:
    """
    A thread that asks for every projection that is behind the log to be advanced.

    Whoever appends only rings a bell, so an append neither waits nor fails for it. A burst of
    commits is one round. What gets lost, with the process for example, the sweeper finds.

    Args:
        code_versions: by name, of the read models that this process has; None: of all.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        code_versions: Mapping[str, int] | None = None,
        pause_seconds: float = 0.02,  # between two rounds
        first_wait_seconds: float = 0.1,  # after a lost connection, doubled each time
        longest_wait_seconds: float = 1.0,
    ) -> None:
        self._conninfo = jobs_conninfo(conninfo)
        self._known = known_values(code_versions)
        self._pause_seconds = pause_seconds
        self._first_wait_seconds = first_wait_seconds
        self._longest_wait_seconds = longest_wait_seconds
        self._connection: Connection[Any] | None = None
        self._is_asked = False
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Returns at once. What is committed before this call will be seen."""
        self._is_asked = True
        self._bell.set()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """One last round if one is due, then the end. May be called twice."""
        self._stopping.set()
        self._bell.set()
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            logger.warning("the projections may be woken late: the database does not answer")

    def _run(self) -> None:
        wait_seconds = self._first_wait_seconds
        while not (self._stopping.is_set() and not self._is_asked):
            self._bell.wait()
            self._bell.clear()
            if not self._is_asked:
                continue
            # Before the round: what is committed during it may need another one.
            self._is_asked = False
            try:
                self._wake_all()
            except psycopg.Error as error:
                logger.warning("cannot wake the projections: %s", type(error).__name__)
                self._disconnect()
                if self._stopping.is_set():
                    return
                self.wake()
                self._stopping.wait(wait_seconds)
                wait_seconds = min(wait_seconds * 2, self._longest_wait_seconds)
            else:
                wait_seconds = self._first_wait_seconds
                self._stopping.wait(self._pause_seconds)
        self._disconnect()

    def _wake_all(self) -> None:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS
            )
        self._connection.execute(WAKE, self._known, prepare=True)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
