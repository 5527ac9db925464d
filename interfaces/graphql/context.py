"""What one GraphQL request may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from psycopg import Connection
from strawberry.types import Info

from application.context import Context
from infrastructure.projections.waiting import wait_for
from interfaces.graphql.errors import (
    AnswerTooLargeError,
    ArgumentRefusedError,
    UnknownWorkspaceError,
)
from projections.workspaces.queries import workspace_by_name

if TYPE_CHECKING:  # it brings every adapter with it; printing the schema needs none
    from infrastructure.container import Container

T = TypeVar("T")

WAIT_SECONDS = 5.0  # for a position that the client has named
MAX_FIRST = 100
# A request may hold 16 searches of 100 hits with 40 neighbours each: too much for one answer.
MAX_ROWS = 10_000


@dataclass(slots=True)
class RequestContext:
    container: Container
    actor: Context  # of this request, not of a workspace yet
    threads: CapacityLimiter  # of the process; whatever blocks runs in one of them
    rows_left: int = field(default=MAX_ROWS)

    async def run(self, work: Callable[[], T]) -> T:
        """Do what blocks in a thread, apart from those that serve other things."""
        return await to_thread.run_sync(work, limiter=self.threads)

    async def read(self, query: Callable[[Connection[Any]], T]) -> T:
        """Ask the read models of the instance."""

        def ask() -> T:
            with self.container.pool.connection() as connection:
                return query(connection)

        return await self.run(ask)

    async def read_in(self, workspace: str, query: Callable[[Connection[Any], UUID], T]) -> T:
        """Ask the read models of one workspace."""

        def ask() -> T:
            workspace_id = self.workspace_id(workspace)
            with self.container.pool.connection() as connection:
                return query(connection, workspace_id)

        return await self.run(ask)

    def workspace_id(self, name: str, position: int = 0) -> UUID:
        """
        Of the workspace with this name: every query is restricted to it. Blocks.

        Args:
            position: of an event that the caller knows, such as the workspace's creation.

        Raises:
            UnknownWorkspaceError
        """
        pool = self.container.pool
        for is_waiting in (False, True):
            if is_waiting and not wait_for(pool, ["workspaces"], position, WAIT_SECONDS):
                break
            with pool.connection() as connection:
                row = workspace_by_name(connection, name)
            if row is not None:
                return row.workspace_id
        raise UnknownWorkspaceError(f"there is no workspace {name[:100]!r}")

    def within(self, workspace_id: UUID) -> Context:
        """The actor of this request in a workspace. All it does has one correlation id."""
        return replace(self.actor, workspace_id=workspace_id)

    def spend(self, rows: int) -> None:
        """
        Raises:
            AnswerTooLargeError: if the request has asked for too much already.
        """
        self.rows_left -= rows
        if self.rows_left < 0:
            raise AnswerTooLargeError(
                f"one request may ask for {MAX_ROWS:,} messages and rows in all, those around "
                "hits included: lower the limits, or send several requests"
            )

    def spend_first(self, first: int) -> None:
        """
        Raises:
            ArgumentRefusedError, AnswerTooLargeError
        """
        if not 1 <= first <= MAX_FIRST:
            raise ArgumentRefusedError(f"first is between 1 and {MAX_FIRST}")
        self.spend(first)


Ask = Info[RequestContext, None]
