"""Knows whether PostgreSQL answers, so that nobody has to find out by waiting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import psycopg
from psycopg.errors import ConnectionTimeout

from infrastructure.discretion import describe
from infrastructure.postgres.connection import DatabaseAwayError, GuardedConnection
from infrastructure.postgres.greeting import is_there

log = logging.getLogger(__name__)

PROBE_SECONDS = 0.5  # between two questions
ANSWER_SECONDS = 2.0  # for an answer; a server that is only busy answers sooner
RETRY_SECONDS = 0.25  # while it is away
GRACE_SECONDS = 2.0  # a restart takes about that long: whoever asks meanwhile may wait for it


class DatabaseWatch:
    """
    A thread with a connection of its own, which asks again and again for nothing.

    A server that refuses is noticed at once by everybody. One that hangs (its machine stopped, a
    network cable pulled) is not: a statement would wait for minutes, each in a thread. What takes
    long because it is much work goes on undisturbed, since the server still answers here.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        probe_seconds: float = PROBE_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._conninfo = conninfo
        self._probe_seconds = probe_seconds
        self._answer_seconds = answer_seconds
        self._away_since: float | None = None
        self._losses = 0  # of connections, in a row, without an answer in between
        self._is_refused = False
        self._on_leave: list[Callable[[], None]] = []
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_away(self) -> bool:
        return self._away_since is not None

    @property
    def away_seconds(self) -> float:
        """How long it has been away; 0.0 if it is there."""
        since = self._away_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def is_refused(self) -> bool:
        """Whether it is there, but takes no connection of ours at present."""
        return self._is_refused

    def on_leave(self, call: Callable[[], None]) -> None:
        """`call` is called in the watch's thread whenever the server has gone away."""
        self._on_leave.append(call)

    def start(self) -> None:
        """Until this is called, the server counts as there. Harmless to repeat."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="database-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Harmless to repeat, and without a start."""
        self._stopping.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join(self._answer_seconds + 1)

    def suspect(self) -> None:
        """Somebody has met a broken connection: look now."""
        self._bell.set()

    def require_present(self) -> None:
        """
        Raises:
            DatabaseAwayError: if it has been away for longer than a restart takes.
        """
        if self.away_seconds > GRACE_SECONDS:
            raise DatabaseAwayError("the database does not answer")

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                connection = GuardedConnection.connect(self._conninfo, autocommit=True)
            except Exception as error:  # noqa: BLE001 - without this thread nobody would notice
                self._judge(error, time.monotonic() - began)
                self._pause()
                continue
            with connection:
                self._ask_until_stopped(connection)
            if self.is_away or self._losses != 1:  # else that may be all there is to it
                self._pause()

    def _pause(self) -> None:
        self._stopping.wait(RETRY_SECONDS if self.is_away else self._probe_seconds)

    def _judge(self, error: Exception, seconds: float) -> None:
        """
        After a connection that failed. What is refused to the watch, such as one connection more
        than the server takes, does not concern those that others have.
        """
        is_answered = None if isinstance(error, ConnectionTimeout) else is_there(self._conninfo)
        if isinstance(error, ConnectionTimeout) or is_answered is False:
            self._leave(error, silent_seconds=seconds)
            return
        if not self._is_refused:
            self._is_refused = True
            log.warning("the database is not watched for now: %s", describe(error))
        if is_answered:
            self._return()

    def _ask_until_stopped(self, connection: GuardedConnection) -> None:
        """Until the connection is lost, or nobody answers any more."""
        while not self._stopping.is_set():
            connection.deadline = time.monotonic() + self._answer_seconds
            try:
                connection.execute("SELECT 1")
            except DatabaseAwayError as error:
                self._losses += 1
                self._leave(error, silent_seconds=self._answer_seconds)
                return
            except psycopg.Error as error:
                if connection.closed:
                    self._losses += 1
                    if self._losses > 1:  # in a row: somebody lets us in, and is no database
                        self._leave(error, silent_seconds=0.0)
                    return
                # Else it answers, though it be a refusal.
            self._losses = 0
            self._is_refused = False
            self._return()
            self._bell.wait(self._probe_seconds)
            self._bell.clear()

    def _return(self) -> None:
        if self._away_since is not None:
            log.warning("the database is back after %.1f s", self.away_seconds)
            self._away_since = None

    def _leave(self, error: Exception, *, silent_seconds: float) -> None:
        if self._away_since is not None or self._stopping.is_set():
            return
        self._away_since = time.monotonic() - silent_seconds
        log.warning("the database is away: %s", describe(error))
        for call in self._on_leave:
            call()
