"""How long somebody waits for a piece of work, and word to its statements when nobody does."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

import psycopg
from psycopg import Connection
from psycopg.abc import PQGen
from psycopg.waiting import Ready

T = TypeVar("T")

CANCEL_SECONDS = 1.0  # for the server to hear of it, and again for the statement to end

logger = logging.getLogger(__name__)


class OutOfPatienceError(Exception):
    """Nobody waits for this any more: its statement was cancelled, its connection is closed."""

    is_quotable = True


class Patience:
    """
    Of whoever waits for one piece of work.

    Args:
        seconds: from now; None: for ever, unless it is abandoned.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._is_abandoned = False

    def abandon(self) -> None:
        """Whoever waited has gone. May be called from any thread."""
        self._is_abandoned = True

    @property
    def is_over(self) -> bool:
        return self._is_abandoned or (self.remaining is not None and self.remaining <= 0)

    @property
    def remaining(self) -> float | None:
        """Seconds; None: no end is set."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within, every statement of this thread ends when the patience does."""
        token = current.set(self)
        try:
            yield
        finally:
            current.reset(token)


current: ContextVar[Patience | None] = ContextVar("patience", default=None)


def limited(timeout: float) -> float:
    """
    Of a wait that is to begin, in seconds: no longer than anybody waits for it.

    Raises:
        OutOfPatienceError: nobody does.
    """
    patience = current.get()
    if patience is None:
        return timeout
    if patience.is_over:
        raise OutOfPatienceError("nobody waits for it")
    remaining = patience.remaining
    return timeout if remaining is None else min(timeout, remaining)


def given_up(connection: Connection[Any], waiting: PQGen[T]) -> PQGen[T]:
    """
    Wait as the driver would, and cancel what the server is at once nobody waits for it.

    The thread that waits is the one that cancels, so that no cancellation can hit what the
    connection is used for next; that one is closed for good measure.

    Raises:
        OutOfPatienceError
    """
    patience = current.get()
    if patience is None:
        return (yield from waiting)
    cancelled_at: float | None = None
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if ready == Ready.NONE and patience.is_over:
                if cancelled_at is None:
                    cancelled_at = time.monotonic()
                    cancel(connection)
                elif time.monotonic() - cancelled_at > CANCEL_SECONDS:
                    break  # the server does not listen
            wanted = waiting.send(ready)
    except StopIteration as end:
        if cancelled_at is None:
            return cast("T", end.value)
    connection.pgconn.finish()
    raise OutOfPatienceError("nobody waits for it")


def cancel(connection: Connection[Any]) -> None:
    try:
        connection.cancel_safe(timeout=CANCEL_SECONDS)
    except psycopg.Error as error:
        logger.warning("a statement could not be cancelled: %s", type(error).__name__)
