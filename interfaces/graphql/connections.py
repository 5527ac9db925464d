"""Lists a page at a time, as Relay's cursor connections want them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from interfaces.graphql.cursors import decode_cursor, encode_cursor
from interfaces.graphql.errors import ArgumentRefusedError
from projections.paging import Slice, Window

T = TypeVar("T")
Row = TypeVar("Row")

MAX_FIRST = 100
DEFAULT_FIRST = 50

First = Annotated[
    int | None,
    strawberry.argument(
        description=f"The first so many, 1 to {MAX_FIRST}, for example 20. Without `first` and "
        f"`last`: the first {DEFAULT_FIRST}."
    ),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="Only what follows this cursor, for example a page's `endCursor`."
    ),
]
Last = Annotated[
    int | None,
    strawberry.argument(
        description=f"The last so many, 1 to {MAX_FIRST}, for example 20; not with `first`."
    ),
]
Before = Annotated[
    str | None,
    strawberry.argument(
        description="Only what precedes this cursor, for example a page's `startCursor`."
    ),
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Something follows this page.")
    has_previous_page: bool = strawberry.field(description="Something precedes this page.")
    start_cursor: str | None = strawberry.field(
        description="Of the page's first edge, for `before`, for example `WzEwMjRd`; null: "
        "the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="Of the page's last edge, for `after`, for example `WzEwNzRd`; null: the "
        "page is empty."
    )


@strawberry.type(description="One entry of a list, with its place.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(
        description="Its place in the list, for `after` or `before`. Opaque, for example "
        "`WzEwMjRd`."
    )
    node: T = strawberry.field(description="The entry itself.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The page's entries with their cursors.")
    nodes: list[T] = strawberry.field(description="The page's entries alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@dataclass(frozen=True)
class PageOf(Generic[Row]):
    """How rows of one list become edges: their keys, by which they are ordered, and their node."""

    types: tuple[type, ...]  # of the keys
    keys: Callable[[Row], tuple[Any, ...]]

    def window(
        self, *, first: int | None, after: str | None, last: int | None, before: str | None
    ) -> Window:
        """
        Raises:
            ArgumentRefusedError
        """
        if first is not None and last is not None:
            raise ArgumentRefusedError("give `first` or `last`, not both")
        for name, value in (("first", first), ("last", last)):
            if value is not None and not 1 <= value <= MAX_FIRST:
                raise ArgumentRefusedError(f"`{name}` is between 1 and {MAX_FIRST}")
        return Window(
            limit=next((size for size in (first, last) if size is not None), DEFAULT_FIRST),
            after=None if after is None else decode_cursor(after, *self.types),
            before=None if before is None else decode_cursor(before, *self.types),
            is_backward=last is not None,
        )

    def connection(
        self, found: Slice[Row], window: Window, node: Callable[[Row], T]
    ) -> Connection[T]:
        nodes = [node(row) for row in found.rows]
        edges = [
            Edge(cursor=encode_cursor(*self.keys(row)), node=made)
            for row, made in zip(found.rows, nodes, strict=True)
        ]
        return Connection(edges=edges, nodes=nodes, page_info=page_info(edges, found, window))


def page_info(edges: list[Edge[Any]], found: Slice[Any], window: Window) -> PageInfo:
    """A cursor names an entry of the list, so that there is something beyond it."""
    is_backward = window.is_backward
    return PageInfo(
        has_next_page=window.before is not None if is_backward else found.has_more,
        has_previous_page=found.has_more if is_backward else window.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
