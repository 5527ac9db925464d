"""What many queries share: which workspace, how new the answer must be, which page of it."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from interfaces.graphql.connections import After, Before, Connection, First, Last, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.pages import ENTRIES
from interfaces.graphql.scalars import BigInt
from projections.paging import Slice, Window

__all__ = ["After", "Before", "First", "InWorkspace", "Last", "MinPosition", "Since", "Until"]

Row = TypeVar("Row")
T = TypeVar("T")

InWorkspace = Annotated[
    str,
    strawberry.argument(
        description="The workspace's name or id, for example `default`. Case makes no difference."
    ),
]
MinPosition = Annotated[
    BigInt | None,
    strawberry.argument(
        description="A log position that the answer must reflect, for example the one that an "
        "upload or a mutation returned. If it is not reached in time, or is beyond the end of "
        "the log, the answer is older, and `extensions.stale` names this field."
    ),
]
Since = Annotated[
    datetime | None,
    strawberry.argument(
        name="from",
        description="Only what was sent then or later, for example `2024-03-01T00:00:00Z`.",
    ),
]
Until = Annotated[
    datetime | None,
    strawberry.argument(
        name="to", description="Only what was sent before, for example `2024-04-01T00:00:00Z`."
    ),
]


def moment(at: datetime | None) -> datetime | None:
    """
    Raises:
        ArgumentRefusedError: it names no zone, and may be any of 24 hours.
    """
    if at is None:
        return None
    if at.tzinfo is None:
        raise ArgumentRefusedError("a time has a zone: 2024-03-01T00:00:00Z, not 2024-03-01T00:00")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ArgumentRefusedError("the time is outside the years 1 to 9999") from None


def storable_text(name: str, text: str | None) -> str | None:
    """
    Raises:
        ArgumentRefusedError: no row can hold it.
    """
    if text is not None and "\x00" in text:
        raise ArgumentRefusedError(f"`{name}` holds a character that is never stored (U+0000)")
    return text


async def page_in(
    info: Ask,
    workspace: str,
    models: Collection[str],
    min_position: int | None,
    pages: PageOf[Row],
    window: Window,
    query: Callable[..., Slice[Row]],
    node: Callable[[Row], T],
) -> Connection[T]:
    """
    One page of a workspace's list.

    Args:
        models: the read models that the list is read from.
        query: of a connection, the workspace's id, and the window by name.

    Raises:
        UnknownWorkspaceError, AnswerTooLargeError
    """
    context = info.context
    context.spend_window(window)
    await context.caught_up(info, [*models, "workspaces"], min_position)
    found = await context.read_in(workspace, partial(query, window=window))
    return pages.connection(found, window, node)


async def page_below(
    info: Ask,
    load: Callable[..., Any],
    parent: tuple[Any, ...],
    pages: PageOf[Row],
    window: Window,
    node: Callable[[Row], T],
    **arguments: Any,
) -> Connection[T]:
    """
    One page of a list that belongs to something; those of all its siblings are read together.

    Raises:
        AnswerTooLargeError
    """
    info.context.spend_window(window)
    found = await info.context.load(load, parent, window=window, **arguments)
    return pages.connection(found, window, node)


async def entries(
    info: Ask,
    workspace_id: UUID,
    ids: Sequence[UUID],
    window: Window,
    load: Callable[..., Any],
    node: Callable[[Any], T],
    unknown: Callable[[tuple[UUID, UUID]], T] | None = None,
) -> Connection[T]:
    """
    One page of a list whose ids came as a whole, in order.

    Args:
        unknown: makes what stands for one that is not found; None: it is left out.
    """
    info.context.spend_window(window)
    numbered = [
        (number, id)
        for number, id in enumerate(ids)
        if (window.after is None or number > window.after[0])
        and (window.before is None or number < window.before[0])
    ]
    fetched = (numbered[::-1] if window.is_backward else numbered)[: window.limit + 1]
    page = window.slice(fetched)
    loading = [info.context.load(load, (workspace_id, id)) for _, id in page.rows]
    rows = dict(zip(page.rows, await gather(*loading), strict=True))
    if unknown is None:
        shown = [entry for entry in page.rows if rows[entry] is not None]
        page = Slice(rows=shown, has_more=page.has_more)

    def made(entry: tuple[int, UUID]) -> T:
        row = rows[entry]
        if row is None and unknown is not None:
            return unknown((workspace_id, entry[1]))
        return node(row)

    return ENTRIES.connection(page, window, made)


async def found_by_id(
    info: Ask,
    models: Collection[str],
    min_position: int | None,
    query: Callable[..., dict[Any, T]],
    id: UUID | int | None,
) -> T | None:
    """
    In whichever workspace the actor may read. None: it is not there, or not theirs.

    Args:
        query: of a connection, workspaces and ids, to what was found by id.
        id: None if what the client gave is no such id.
    """
    if id is None:
        return None
    await info.context.caught_up(info, models, min_position)
    found = await info.context.read(partial(among, info, query, [id]))
    return found.get(id)


def among(
    info: Ask, query: Callable[..., dict[Any, T]], ids: list[Any], database: Database[Any]
) -> dict[Any, T]:
    return query(database, info.context.readable(database), ids)
