"""Reading one's own writes: wait until read models have reached a position."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from infrastructure.projections.registry import CHANNEL

POLL_SECONDS = 0.5  # should a notification get lost
REACHED = """
SELECT status = 'halted' AS is_halted, position FROM projection.projection
WHERE name = ANY(%s) AND status IN ('live', 'halted')
"""


def never() -> bool:
    return False


def wait_for(
    pool: ConnectionPool[Any],
    names: Collection[str],
    position: int,
    timeout_seconds: float,
    should_stop: Callable[[], bool] = never,
) -> bool:
    """
    Whether the answers of these read models contain everything up to `position`.

    Blocks until they do, but no longer than the timeout, not at all if one of them is halted
    before it, and hardly any longer once it should stop. Occupies a connection of the pool while
    it waits.
    """
    deadline = time.monotonic() + timeout_seconds
    with pool.connection() as connection:
        if (outcome := look(connection, names, position)) is not None:
            return outcome
        channel = sql.Identifier(CHANNEL)
        connection.execute(sql.SQL("LISTEN {}").format(channel))
        try:
            return listen(connection, names, position, deadline, should_stop)
        finally:
            if not connection.closed:
                connection.execute(sql.SQL("UNLISTEN {}").format(channel))


def listen(
    connection: Connection[Any],
    names: Collection[str],
    position: int,
    deadline: float,
    should_stop: Callable[[], bool],
) -> bool:
    while (outcome := look(connection, names, position)) is None:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or should_stop():
            return False
        for _ in connection.notifies(timeout=min(remaining, POLL_SECONDS), stop_after=1):
            pass
    return outcome


def look(connection: Connection[Any], names: Collection[str], position: int) -> bool | None:
    """None: not yet."""
    wanted = set(names)
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(REACHED, (list(wanted),), prepare=True).fetchall()
    behind = [is_halted for is_halted, reached in rows if reached < position]
    if any(behind):
        return False
    return True if not behind and len(rows) == len(wanted) else None
