"""What the feed asks of the log, on a connection for moments only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, ParamSpec, TypeVar

import psycopg
from psycopg.rows import scalar_row
from psycopg_pool import ConnectionPool

from infrastructure.log.frames import EventFrame, frames_of
from infrastructure.log.groups import Interest
from infrastructure.log.reader import HEAD

PAGE = 500  # events read at once
CONNECTION_SECONDS = 2.0  # to get one
RETRY_SECONDS = 0.5

T = TypeVar("T")
P = ParamSpec("P")


def head_of(pool: ConnectionPool[Any]) -> int:
    """The last position."""
    with pool.connection(CONNECTION_SECONDS) as connection:
        return int(connection.cursor(row_factory=scalar_row).execute(HEAD).fetchone() or 0)


def page_of(
    pool: ConnectionPool[Any], wanted: Interest, after: int, up_to: int
) -> list[EventFrame]:
    """The next ones of what is wanted. Fewer than `PAGE`: there are no more."""
    with pool.connection(CONNECTION_SECONDS) as connection:
        return frames_of(
            connection,
            workspaces=wanted.workspaces,
            after=after,
            up_to=up_to,
            topics=wanted.topics,
            limit=PAGE,
        )


async def patiently(threads: Executor, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """In another thread, again and again until the database answers."""
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                threads, partial(ask, *args, **kwargs)
            )
        except psycopg.Error:  # the feed's own thread says so
            await asyncio.sleep(RETRY_SECONDS)
