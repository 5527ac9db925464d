"""How far the log itself is, for answers that are read from it or from the tables beside it."""

from __future__ import annotations

from typing import Any

from psycopg import Connection as Database
from psycopg.rows import scalar_row

from infrastructure.log.reader import HEAD
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import ArgumentRefusedError, BeyondLogError


def head(database: Database[Any]) -> int:
    """The log's last position; 0 if it is empty."""
    with database.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute(HEAD).fetchone() or 0)


async def log_reached(info: Ask, min_position: int | None) -> bool:
    """
    Whether the log has this position, if any. If it has not, the response says that this field's
    answer is stale. Nothing is waited for: whoever was told a position finds it there.
    """
    if min_position is None or min_position <= 0 or await info.context.read(head) >= min_position:
        return True
    info.context.say_stale(info)
    return False


async def seen_position(info: Ask, after: int | None) -> int | None:
    """
    The position that a client has seen, if the log has it.

    Raises:
        ArgumentRefusedError, BeyondLogError
    """
    if after is None:
        return None
    if after < 0:
        raise ArgumentRefusedError("after is 0 or more")
    last = await info.context.read(head) if after else 0
    if after > last:
        raise BeyondLogError(
            f"the log ends at position {last}: what you have seen is of another log, such as one "
            "that a backup has replaced; read everything anew and begin without `after`"
        )
    return after
