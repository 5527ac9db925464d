"""Pages by keyset: where one ends, the next goes on, whatever is added meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.rows import tuple_row

Row = TypeVar("Row")
Key = TypeVar("Key", bound=tuple[Any, ...])
Keys = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """
    Which part of an ordered list is asked for.

    Keys are the values of the columns that the list is ordered by; the last column is unique.
    """

    limit: int = 100  # rows at most
    after: Keys | None = None  # only what follows the row with these keys
    before: Keys | None = None  # only what precedes the row with these keys
    is_backward: bool = False  # the last rows of these, not the first; their order stays

    def sql(self, columns: Sequence[str], *, descending: bool = False) -> tuple[str, list[Any]]:
        """
        What follows a WHERE that has a condition already, with its values. It asks for one row
        more than the limit, to know whether there is one, and takes a backward window in reverse.

        Args:
            columns: expressions, not to be null.
        """
        row = f"({', '.join(columns)})"
        places = f"({', '.join(['%s'] * len(columns))})"
        conditions, values = "", list[Any]()
        for keys, comparison in (
            (self.after, "<" if descending else ">"),
            (self.before, ">" if descending else "<"),
        ):
            if keys is not None:
                conditions += f" AND {row} {comparison} {places}"
                values += keys
        order = "DESC" if descending != self.is_backward else "ASC"
        ordered = ", ".join(f"{column} {order}" for column in columns)
        return f"{conditions} ORDER BY {ordered} LIMIT %s", [*values, self.limit + 1]

    def slice(self, fetched: Sequence[Row]) -> Slice[Row]:
        """From rows as `sql` yields them."""
        rows = list(fetched[: self.limit])
        if self.is_backward:
            rows.reverse()
        return Slice(rows=rows, has_more=len(fetched) > self.limit)


@dataclass(frozen=True, kw_only=True)
class Slice(Generic[Row]):
    rows: list[Row]  # in the list's order
    has_more: bool  # beyond the limit, in the direction of the window

    def __bool__(self) -> bool:
        return bool(self.rows)


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """
    The ordered rows below a parent. Pages below many parents are one statement, too.

    Args:
        row: made from the columns by name; its fields are the columns.
        source: with the alias `r`.
        parent: columns that are compared with the first of a parent's keys.
        types: of all of a parent's keys. Conditions may name those that are left, such as
            `parents.k2` for the third.
        order: expressions, not to be null, of which the last is unique below a parent.
        columns: of fields that are not simply `r.<name>`.
    """

    row: Callable[..., Row]
    source: str
    parent: tuple[str, ...]
    types: tuple[str, ...]
    order: tuple[str, ...]
    is_descending: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)

    def pages(
        self,
        connection: Connection[Any],
        parents: Sequence[Key],
        window: Window,
        where: str = "",
        values: Sequence[Any] = (),
    ) -> dict[Key, Slice[Row]]:
        """
        Args:
            parents: each once.
            where: further conditions, from `AND` on, with their values.
        """
        if not parents:
            return {}
        placed, places = window.sql(self.order, descending=self.is_descending)
        arrays = [list(column) for column in zip(*parents, strict=True)]
        statement = f"{self._below}{where}{placed}) AS page"
        below: list[list[Row]] = [[] for _ in parents]
        with connection.cursor(row_factory=tuple_row) as cursor:
            for number, *found in cursor.execute(
                statement.encode(), [*arrays, *values, *places], prepare=True
            ):
                below[number - 1].append(self._made(found))
        return {parent: window.slice(rows) for parent, rows in zip(parents, below, strict=True)}

    def page(
        self,
        connection: Connection[Any],
        parent: Keys,
        window: Window,
        where: str = "",
        values: Sequence[Any] = (),
    ) -> Slice[Row]:
        return self.pages(connection, [parent], window, where, values)[parent]

    def first(self, connection: Connection[Any], parents: Sequence[Key]) -> dict[Key, Row]:
        """By parents that have one row at most."""
        found = self.pages(connection, parents, Window(limit=1))
        return {parent: page.rows[0] for parent, page in found.items() if page.rows}

    def among(
        self, connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[Any]
    ) -> list[Row]:
        """Rows whose parent is one of these workspaces and one of these ids, in no order."""
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(self._among.encode(), [list(workspaces), list(ids)], prepare=True)
            return [self._made(found) for found in cursor]

    def _made(self, found: Sequence[Any]) -> Row:
        return self.row(**dict(zip(self._names, found, strict=True)))

    @cached_property
    def _names(self) -> list[str]:
        return [found.name for found in fields(self.row)]  # type: ignore[arg-type]

    @cached_property
    def _selected(self) -> str:
        selected = ", ".join(self.columns.get(name, f"r.{name}") for name in self._names)
        return f"SELECT {selected} FROM {self.source}"

    @cached_property
    def _below(self) -> str:
        """A nested loop: one parent after the other, so that each page keeps its order."""
        keys = [f"k{number}" for number in range(len(self.types))]
        arrays = ", ".join(f"%s::{kind}[]" for kind in self.types)
        matches = " AND ".join(
            f"{column} = parents.{key}" for column, key in zip(self.parent, keys, strict=False)
        )
        return f"""
        SELECT parents.number, page.*
        FROM unnest({arrays}) WITH ORDINALITY AS parents ({", ".join(keys)}, number)
        CROSS JOIN LATERAL ({self._selected} WHERE {matches}"""

    @cached_property
    def _among(self) -> str:
        workspace, id = self.parent
        return f"{self._selected} WHERE {workspace} = ANY(%s::uuid[]) AND {id} = ANY(%s)"
