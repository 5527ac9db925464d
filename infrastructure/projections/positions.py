"""Reading one's own writes: wait until read models have reached a position."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

from psycopg_pool import ConnectionPool

from infrastructure.postgres.notifications import NotificationHub
from infrastructure.projections.known_positions import KnownPositions, OnMove, Waiter
from infrastructure.projections.position_reader import PositionReader
from infrastructure.projections.registry import CHANNEL

STOP_SECONDS = 0.1  # how long it may take to notice that a waiter should stop
LOOK_SECONDS = 1.0  # for the one look that a waiter without any time has a right to
LOOK_PAUSE_SECONDS = 0.005


def never() -> bool:
    return False


class Positions:
    """
    How far the read models have come that are read, known in this process's memory.

    Thread-safe. Any number of waiters cost the hub's connection, and one of the pool for moments:
    a single thread reads for all of them, should a notification get lost. Starts with the first
    of them.
    """

    def __init__(self, hub: NotificationHub, pool: ConnectionPool[Any]) -> None:
        self._hub = hub
        self._known = KnownPositions()
        self._reader = PositionReader(pool, self._known)
        self._lock = threading.Lock()
        self._unsubscribe: Callable[[], None] | None = None
        self._is_closed = False

    def wait(
        self,
        names: Collection[str],
        position: int,
        timeout_seconds: float,
        should_stop: Callable[[], bool] = never,
    ) -> bool:
        """
        Whether the answers of these read models contain everything up to `position`.

        Blocks until they do, but no longer than the timeout, not at all if one of them is halted
        before it, and hardly any longer once it should stop. Holds no connection meanwhile.

        Raises:
            psycopg.OperationalError: if the database is out of reach.
        """
        deadline = time.monotonic() + timeout_seconds
        waiter = self._enter(names, position)
        try:
            while not is_over(waiter, deadline):
                remaining = max(deadline - time.monotonic(), LOOK_PAUSE_SECONDS)
                longest = remaining if should_stop is never else STOP_SECONDS
                if waiter.settled(min(remaining, longest)):
                    return waiter.outcome()
                if should_stop():
                    break
            return waiter.outcome() if waiter.settled(0) else False
        finally:
            self._known.leave(waiter)

    async def wait_async(
        self, names: Collection[str], position: int, timeout_seconds: float
    ) -> bool:
        """The same without blocking the event loop."""
        deadline = time.monotonic() + timeout_seconds
        waiter = self._enter(names, position)
        future = asyncio.wrap_future(waiter.future)
        try:
            while not future.done() and not is_over(waiter, deadline):
                remaining = max(deadline - time.monotonic(), LOOK_PAUSE_SECONDS)
                await asyncio.wait({future}, timeout=remaining)
            return future.result() if future.done() else False
        finally:
            future.cancel()
            self._known.leave(waiter)

    def listen(self, on_move: OnMove) -> Callable[[], None]:
        """
        Be told the name and the position of each read model that moves, is halted or is swapped;
        and after a lost connection, of each whose position has changed meanwhile.

        Called in other threads, one call after the other: it must be quick.

        Returns:
            What ends it.
        """
        end = self._known.listen(on_move)
        self.start()
        return end

    def start(self) -> None:
        """Listen. Harmless to repeat; after `close` nothing is listened to any more."""
        with self._lock:
            if self._unsubscribe is not None or self._is_closed:
                return
            self._unsubscribe = self._hub.subscribe(
                CHANNEL, self._on_payload, self._on_connect, on_disconnect=self._known.disconnected
            )
            self._reader.start()
        self._hub.start()

    def close(self) -> None:
        """Every wait ends with False, also those to come. Harmless to repeat; the hub goes on."""
        with self._lock:
            self._is_closed = True
            unsubscribe, self._unsubscribe = self._unsubscribe, None
        self._known.give_up(None)
        if unsubscribe is not None:  # without the lock: event loops take it, too
            unsubscribe()
            self._reader.stop()

    def _enter(self, names: Collection[str], position: int) -> Waiter:
        self.start()
        waiter = self._known.enter(names, position)
        if self._is_closed:
            self._known.give_up(None)
        if not waiter.settled(0):
            self._reader.ask()  # what is halted is in no notification
        return waiter

    def _on_connect(self) -> None:
        self._known.connected()
        self._reader.ask()

    def _on_payload(self, payload: str) -> None:
        name, _, number = payload.rpartition(" ")
        # Whoever may use the database may notify.
        is_settled = number.isdecimal() and self._known.moved(name, int(number))
        if not is_settled:
            self._reader.ask()  # it may have moved only to where it is halted


def is_over(waiter: Waiter, deadline: float) -> bool:
    """Its time is up, and somebody has looked for it: also if its time was none at all."""
    now = time.monotonic()
    return now >= deadline and (waiter.was_looked_at or now >= deadline + LOOK_SECONDS)
