"""A thread that follows a read model in memory, and knows when it may not be believed."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool

from infrastructure.discretion import describe
from infrastructure.postgres.notifications import NotificationHub
from infrastructure.projections.registry import CHANNEL

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0  # should a notification get lost
RETRY_SECONDS = 1.0


class Follower(ABC):
    """
    Takes in what is new whenever the read model moves, in a thread of its own.

    While the connection that listens is gone, the database may be restored or be another one: what
    was taken in is believed again once it was compared.
    """

    def __init__(self, *, hub: NotificationHub, pool: ConnectionPool[Any], read_model: str) -> None:
        self._hub = hub
        self._pool = pool
        self._read_model = read_model
        # The version of the read model that it was compared with, and how often the connection
        # had come or gone by then.
        self._checked: tuple[int, int] | None = None
        self._turns = 0
        self._caught_up_at: float | None = None
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._unsubscribe: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    def catch_up(self, connection: Connection[Any]) -> int:
        """Take in what is new; return how much that was."""

    # Beside following, in the same thread.

    def begin(self) -> None:  # noqa: B027 - most have nothing to do
        """Before the first look."""

    def rest(self) -> None:  # noqa: B027
        """Whenever all is taken in. What it raises is logged, and the next look comes soon."""

    def end(self) -> None:  # noqa: B027
        """After the last look."""

    @property
    def is_trusted(self) -> bool:
        return self._checked is not None and self._checked[1] == self._turns

    @property
    def seconds_behind(self) -> float | None:
        """How long ago it had taken in all that there was. None: it never had."""
        at = self._caught_up_at
        return None if at is None else time.monotonic() - at

    def start(self) -> None:
        """Until it has caught up, PostgreSQL answers."""
        if self._thread is None:
            self._unsubscribe = self._hub.subscribe(
                CHANNEL, self._on_payload, self._turn, on_disconnect=self._turn
            )
            self._hub.start()
            name = f"{self._read_model}-follower"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        self.begin()
        while not self._stopping.is_set():
            try:
                started = time.monotonic()
                with self._pool.connection() as connection:
                    self.catch_up(connection)
                self._caught_up_at = started
                self.rest()
                self._news.wait(POLL_SECONDS)
                self._news.clear()  # before the next look, so that nothing goes unseen
            except Exception as error:  # noqa: BLE001 - a thread that died would never catch up
                log.warning(
                    "%s cannot be followed in memory, and are tried again: %s",
                    self._read_model,
                    describe(error),
                )
                # The database may have been restored meanwhile, or a page been taken in by half:
                # until that is checked, PostgreSQL answers.
                self._checked = None
                self._stopping.wait(RETRY_SECONDS)
        self.end()

    def _turn(self) -> None:
        """The connection has come or gone."""
        self._turns += 1
        self._news.set()

    def _on_payload(self, payload: str) -> None:
        if payload.startswith(f"{self._read_model} "):
            self._news.set()
