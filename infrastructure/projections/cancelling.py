"""Long statements that end when the process is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from infrastructure.postgres.patience import cancel

POLL_SECONDS = 0.1


class CancelledError(Exception):
    """What the connection was at is undone; the connection is closed."""


@contextmanager
def cancelled_when(should_stop: Callable[[], bool], connection: Connection[Any]) -> Iterator[None]:
    """
    Cancel whatever the connection is executing as soon as `should_stop`.

    Raises:
        CancelledError
    """
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(POLL_SECONDS):
            if should_stop():
                cancel(connection)  # again and again: it may have been between two statements

    watcher = threading.Thread(target=watch, name="canceller", daemon=True)
    watcher.start()
    try:
        yield
    except psycopg.errors.QueryCanceled:
        if not should_stop():
            raise  # somebody else did it, a timeout of the server's for example
        # A cancellation that comes late must not hit what the connection is used for next.
        connection.close()
        raise CancelledError from None
    finally:
        is_done.set()
        watcher.join()
