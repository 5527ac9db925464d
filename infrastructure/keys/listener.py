"""Hears of keys that another process destroys, and forgets them here."""

from __future__ import annotations

import logging
import threading
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from infrastructure.discretion import describe
from infrastructure.keys.keyring import KeyRing

log = logging.getLogger(__name__)

CHANNEL = "key_destroyed"
CONNECT_SECONDS = 5


class KeyDestructionListener:
    """
    A thread that listens. What may have gone unheard is forgotten, too: it is read again.

    Args:
        poll_seconds: how long `stop` may take.
        wait_seconds: before it connects again.
    """

    def __init__(
        self,
        conninfo: str,
        keyring: KeyRing,
        *,
        poll_seconds: float = 0.5,
        wait_seconds: float = 0.5,
    ) -> None:
        self._conninfo = conninfo
        self._keyring = keyring
        self._poll_seconds = poll_seconds
        self._wait_seconds = wait_seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Harmless to repeat."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="key-listener", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Harmless to repeat, and without a start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(
                    self._conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS
                ) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    # Only now: what is destroyed from here on will be heard.
                    self._keyring.forget_all()
                    self._listen(connection)
            except Exception as error:  # noqa: BLE001 - a thread that died would hear nothing more
                # Nobody tells us now: better to fetch every key than to use a destroyed one.
                self._keyring.forget_all()
                log.warning("cannot hear of destroyed keys, trying again: %s", describe(error))
                self._stopping.wait(self._wait_seconds)

    def _listen(self, connection: Connection[Any]) -> None:
        while not self._stopping.is_set():
            for notification in connection.notifies(timeout=self._poll_seconds, stop_after=1):
                self._keyring.forget(UUID(notification.payload))
