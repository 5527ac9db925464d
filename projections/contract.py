"""What every read model offers to the runner, and what the runner gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from psycopg import Connection


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A domain event with what the log keeps beside it."""

    position: int
    recorded_at: datetime
    topic: str
    workspace_id: UUID | None
    actor_id: UUID
    correlation_id: UUID
    causation_position: int | None
    command_id: UUID | None
    origin: Mapping[str, str] | None  # None: there was none, or its actor was erased
    event: Any


def storable(text: str) -> str:
    """PostgreSQL's text holds every character but U+0000."""
    return text.replace("\x00", "\ufffd")


class ReadModel(Protocol):
    """
    Disposable: everything in it follows from the log.

    Each version owns a PostgreSQL schema, whose name is given to every method; statements name it
    in full. Readers know only the views in the schema `read`.
    """

    @property
    def name(self) -> str:
        """Plural noun, the folder's name."""
        ...

    @property
    def code_version(self) -> int:
        """Raised whenever the tables or what `apply` writes change."""
        ...

    @property
    def topics(self) -> frozenset[str]:
        """The events it wants; the others only move its position."""
        ...

    def tables(self, schema: str) -> str:
        """DDL that live writing needs: tables, primary keys, unique constraints."""
        ...

    def indexes(self, schema: str) -> str:
        """
        DDL that only readers need. Runs once, in one transaction: for a new read model with its
        tables, in a rebuild after loading and before the swap.
        """
        ...

    def views(self, schema: str) -> Mapping[str, str]:
        """
        View name in schema `read` -> its SELECT. A rebuild may change a view's columns; readers
        name the columns that they want.
        """
        ...

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        """
        Write what a page of events means, in few set-based statements.

        Runs in the transaction that moves the position. Anything raised halts the projection at
        the first event that cannot be digested, so raise on what you do not understand. The page
        is then applied again in smaller parts: keep nothing in memory from one call to the next,
        and do not let the result depend on where pages begin and end.

        The schema may belong to a version that nobody reads yet, or that nobody reads any more.
        """
        ...

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        """
        Housekeeping that needs no event, such as building an index over rows that are complete.

        Called now and then, outside the step, on an autocommit connection, by one process at a
        time; before a rebuilt version is swapped in, until there is no more to do. Returns whether
        there is.
        """
        ...


@runtime_checkable
class FrameReader(Protocol):
    """A read model that needs only the frame of some events: not opening the rest saves time."""

    @property
    def frames(self) -> frozenset[str]:
        """Topics whose `personal_by_subject` fields it gets empty, as if all were erased."""
        ...
