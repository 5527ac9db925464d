"""Tables of what was seen first in some upload and may be called otherwise by a later one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar
from uuid import UUID

from psycopg import Connection

from domain.upload import Upload
from projections.contract import RecordedEvent
from projections.withdrawals import withdrawn_among

Key = tuple[UUID, UUID]  # workspace, and what is named


class NamedRow(Protocol):
    """A dataclass whose fields are the table's columns, in order: first the two of the key."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    upload_id: UUID  # that said it first
    position: int

    def follow(self, later: Self) -> bool:
        """Take over what a later upload says. Whether that changes anything."""
        ...


R = TypeVar("R", bound=NamedRow)


@dataclass(frozen=True)
class NamedTable(Generic[R]):
    name: str
    row: type[R]
    changing: tuple[str, ...]  # columns that `follow` may change

    def tables(self, schema: str) -> str:
        """DDL of what has to be known to tell an upload withdrawn, beside the table itself."""
        return f"""
        CREATE TABLE {schema}.{self.name}_said (LIKE {schema}.{self.name});  -- by each upload
        CREATE INDEX ON {schema}.{self.name}_said ({self._key}, upload_id);
        CREATE INDEX ON {schema}.{self.name}_said (upload_id);
        CREATE TABLE {schema}.withdrawn_upload (upload_id uuid PRIMARY KEY);
        """

    def apply(
        self,
        connection: Connection[Any],
        schema: str,
        events: Iterable[RecordedEvent],
        rows: Callable[[RecordedEvent], Iterable[R]],
    ) -> None:
        """
        A page of transcripts and withdrawals, in order.

        Args:
            rows: what one transcript says.
        """
        page: list[R] = []
        for recorded in events:
            if isinstance(recorded.event, Upload.Withdrawn):
                self.record(connection, schema, page)
                page = []
                upload_id = recorded.event.originator_id
                self.withdraw(connection, schema, upload_id, recorded.position)
            else:
                page += rows(recorded)
        self.record(connection, schema, page)

    def record(self, connection: Connection[Any], schema: str, page: Sequence[R]) -> None:
        """Write what a page of events says, in order. A withdrawn upload says nothing any more."""
        gone = withdrawn_among(connection, schema, {row.upload_id for row in page})
        page = [row for row in page if row.upload_id not in gone]
        known = self._select(connection, schema, {key_of(row) for row in page})
        last = self._last_said(connection, schema, page)
        changed: dict[Key, R] = {}
        said: list[tuple[Any, ...]] = []
        for row in page:
            place = (key_of(row), row.upload_id)
            told = self._told(row)
            current = known.get(key_of(row))
            is_change = current is None or current.follow(row)
            if is_change or last.get(place) != told:
                said.append(astuple(row))
            last[place] = told
            if is_change:
                changed[key_of(row)] = known[key_of(row)] = current or replace(row)
        self._write(connection, schema, list(changed.values()))
        if said:
            with connection.cursor() as cursor:
                cursor.executemany(self._insert.format(schema=schema, table="_said"), said)

    def withdraw(
        self, connection: Connection[Any], schema: str, upload_id: UUID, position: int
    ) -> None:
        """What is left is what the other uploads say, in the order in which they said it."""
        connection.execute(
            f"INSERT INTO {schema}.withdrawn_upload (upload_id) VALUES (%s)".encode(), (upload_id,)
        )
        rows = connection.execute(
            f"DELETE FROM {schema}.{self.name}_said WHERE upload_id = %s "
            f"RETURNING {self._key}".encode(),
            (upload_id,),
        )
        keys: set[Key] = {(row[0], row[1]) for row in rows}
        left: dict[Key, R] = {}
        statement = self._by_key.format(schema=schema, table="_said") + " ORDER BY position"
        found = connection.execute(statement.encode(), columns(keys), binary=True)
        for row in (self.row(*values) for values in found):
            left.setdefault(key_of(row), row).follow(row)
        for row in left.values():
            row.position = position
        connection.execute(
            f"""
            DELETE FROM {schema}.{self.name} WHERE ({self._key}) IN (
                SELECT * FROM unnest(%b::uuid[], %b::uuid[])
            )
            """.encode(),
            columns(keys),
        )
        self._write(connection, schema, list(left.values()))

    def _write(self, connection: Connection[Any], schema: str, rows: Sequence[R]) -> None:
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(
                    self._upsert.format(schema=schema, table=""), [astuple(row) for row in rows]
                )

    def _last_said(
        self, connection: Connection[Any], schema: str, page: Sequence[R]
    ) -> dict[tuple[Key, UUID], tuple[Any, ...]]:
        places = {(key_of(row), row.upload_id) for row in page}
        wanted = [*columns({key for key, _ in places}), list({upload for _, upload in places})]
        statement = self._by_key.format(schema=schema, table="_said")
        statement += " WHERE upload_id = ANY(%b::uuid[]) ORDER BY position"
        found = connection.execute(statement.encode(), wanted, binary=True)
        rows = [self.row(*values) for values in found]
        return {(key_of(row), row.upload_id): self._told(row) for row in rows}

    def _told(self, row: R) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in self._columns if name != "position")

    def _select(
        self, connection: Connection[Any], schema: str, keys: Collection[Key]
    ) -> dict[Key, R]:
        statement = self._by_key.format(schema=schema, table="")
        found = connection.execute(statement.encode(), columns(keys), binary=True)
        return {(values[0], values[1]): self.row(*values) for values in found}

    @cached_property
    def _columns(self) -> list[str]:
        return [field.name for field in fields(self.row)]

    @cached_property
    def _key(self) -> str:
        return ", ".join(self._columns[:2])

    @cached_property
    def _by_key(self) -> str:
        return f"""
        SELECT {", ".join(self._columns)}
        FROM unnest(%b::uuid[], %b::uuid[]) AS wanted ({self._key})
        JOIN {{schema}}.{self.name}{{table}} USING ({self._key})
        """

    @cached_property
    def _insert(self) -> str:
        return f"""
        INSERT INTO {{schema}}.{self.name}{{table}} ({", ".join(self._columns)})
        VALUES ({", ".join("%s" for _ in self._columns)})
        """

    @cached_property
    def _upsert(self) -> str:
        return f"""{self._insert}
        ON CONFLICT ({self._key}) DO UPDATE SET
        {", ".join(f"{column} = excluded.{column}" for column in self.changing)}
        """


def columns(keys: Collection[Key]) -> list[list[UUID]]:
    return [[key[0] for key in keys], [key[1] for key in keys]]


def key_of(row: Any) -> Key:
    first, second, *_ = fields(row)
    return getattr(row, first.name), getattr(row, second.name)
