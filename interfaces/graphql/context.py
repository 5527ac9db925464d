"""What one GraphQL operation may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from psycopg import Connection
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from application.context import Context
from domain.workspace import UnknownWorkspaceError, Workspace
from infrastructure.postgres.patience import Patience
from interfaces.graphql.connections import MAX_FIRST
from interfaces.graphql.deadline import OperationThreads
from interfaces.graphql.errors import AnswerTooLargeError, ArgumentRefusedError
from interfaces.graphql.node_ids import parse_id
from projections.paging import Window
from projections.workspaces import queries

if TYPE_CHECKING:  # it brings every adapter with it; printing the schema needs none
    from infrastructure.container import Container

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)

WAIT_SECONDS = 5.0  # for a position that the client has named
# A request may hold 16 searches of 100 hits with 40 neighbours each: too much for one answer.
MAX_ROWS = 10_000
IS_ID = "Workspace:"


@dataclass(slots=True)
class RequestContext:
    """Made for a request or a WebSocket; each operation gets its own by `for_operation`."""

    container: Container
    actor: Context  # of this request, not of a workspace yet
    threads: OperationThreads  # of the process; whatever blocks runs in one of them
    is_production: bool = False  # nobody explores there
    is_lasting: bool = False  # a subscription: each of its steps has a deadline of its own
    rows_left: int = MAX_ROWS
    stale: list[str] = field(default_factory=list)  # response keys
    _loaders: dict[Hashable, DataLoader[Any, Any]] = field(default_factory=dict)
    _patience: Patience | None = None  # with this operation, once it has begun

    def for_operation(self) -> RequestContext:
        """With what is counted, remembered and loaded for one operation, or one of its items."""
        return RequestContext(
            container=self.container,
            actor=self.actor,
            threads=self.threads,
            is_production=self.is_production,
        )

    def start_anew(self) -> None:
        """For the next item of a subscription: nothing that was loaded before is known."""
        self.rows_left = MAX_ROWS
        self.stale.clear()
        self._loaders.clear()
        self._patience = None

    # Reading

    async def run(self, work: Callable[[], T]) -> T:
        """
        Do what blocks in a thread, apart from those that serve other things.

        Raises:
            DeadlineExceededError, OverloadedError
        """
        if self._patience is None or self.is_lasting:
            self._patience = self.threads.patience()
        return await self.threads.run(work, self._patience)

    async def read(self, query: Callable[[Connection[Any]], T]) -> T:
        """Ask the read models. The query itself says which workspaces it looks at."""

        def ask() -> T:
            with self.container.pool.connection() as connection:
                return query(connection)

        return await self.run(ask)

    async def read_in(self, workspace: str, query: Callable[[Connection[Any], UUID], T]) -> T:
        """
        Ask the read models of one workspace, whose name or id this is. Only an answer without
        anything in it makes sure that there is such a workspace.

        Raises:
            UnknownWorkspaceError
        """
        workspace_id = self.workspace_id(workspace)

        def ask(connection: Connection[Any]) -> T:
            found = query(connection, workspace_id)
            if not found:
                self.check_readable(connection, workspace_id)
            return found

        return await self.read(ask)

    def load(
        self,
        load: Callable[..., Mapping[Key, T]],
        key: Key,
        **arguments: Hashable,
    ) -> Any:
        """
        Awaitable: what `load` finds under the key, or None. All that one operation loads at the
        same time, with the same arguments, is one call.

        Args:
            load: of a connection, a list of keys and the arguments, to what is found by key; a
                module's function, not one made for the call.
            key: of a workspace that the actor may read: it comes from a row that was read.
        """
        place = (load, *sorted(arguments.items()))
        if place not in self._loaders:

            async def batch(keys: list[Key]) -> Sequence[T | None]:
                found = await self.read(partial(load, keys=list(keys), **arguments))
                return [found.get(key) for key in keys]

            self._loaders[place] = DataLoader(load_fn=batch)
        return self._loaders[place].load(key)

    async def caught_up(
        self, info: Info[Any, Any], names: Collection[str], min_position: int | None
    ) -> bool:
        """
        Wait until these read models have reached the position that the client knows, if any. If
        they do not in time, the response says that this field's answer is stale. A position that
        the log itself has not reached is nothing to wait for: nobody can have seen it there.
        """
        if min_position is None or min_position <= 0:
            return True
        positions = self.container.positions
        reached = await positions.wait_async(names, min_position, 0)
        if not reached and min_position <= await self.run(self.container.archive.event_log.head):
            reached = await positions.wait_async(names, min_position, WAIT_SECONDS)
        if not reached:
            self.say_stale(info)
        return reached

    def say_stale(self, info: Info[Any, Any]) -> None:
        """In the response: this field's answer is older than its `minPosition`."""
        key = str(info.path.key)
        if key not in self.stale:
            self.stale.append(key)

    # What the actor may see

    async def known_workspace(
        self, info: Info[Any, Any], workspace: str, min_position: int | None = None
    ) -> UUID:
        """
        Of the workspace with this name or id, which may be as new as the position says.

        Raises:
            UnknownWorkspaceError
        """
        workspace_id = self.workspace_id(workspace)

        def check(connection: Connection[Any]) -> None:
            self.check_readable(connection, workspace_id)

        await self.once_known(info, partial(self.read, check), min_position)
        return workspace_id

    async def once_known(
        self, info: Info[Any, Any], ask: Callable[[], Awaitable[T]], min_position: int | None
    ) -> T:
        """
        What asks about a workspace that may be as new as the position says.

        Raises:
            UnknownWorkspaceError: as `ask` does.
        """
        try:
            return await ask()
        except UnknownWorkspaceError:
            if min_position is None or not await self.caught_up(info, ["workspaces"], min_position):
                raise
            return await ask()

    def readable(self, connection: Connection[Any]) -> list[UUID]:
        """
        The workspaces that the actor may read: every statement about something that a client
        names by its id alone is restricted to them. All, until accounts exist.
        """
        return queries.ids(connection)

    def check_readable(self, connection: Connection[Any], workspace_id: UUID) -> None:
        """
        Raises:
            UnknownWorkspaceError: the same for one that is not there and one that is not theirs.
        """
        if queries.workspace(connection, workspace_id) is None:
            raise UnknownWorkspaceError("there is no such workspace")

    @staticmethod
    def workspace_id(workspace: str) -> UUID:
        """From its name or its id. Whether there is one, only the read model knows."""
        found = parse_id("Workspace", workspace) if workspace.startswith(IS_ID) else None
        return found or Workspace.create_id(workspace)

    def within(self, workspace_id: UUID) -> Context:
        """The actor of this request in a workspace. All it does has one correlation id."""
        return replace(self.actor, workspace_id=workspace_id)

    # How much an answer may hold

    def spend(self, rows: int) -> None:
        """
        Raises:
            AnswerTooLargeError: if the operation has asked for too much already.
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

    def spend_window(self, window: Window) -> Window:
        """
        Raises:
            AnswerTooLargeError
        """
        self.spend(window.limit)
        return window


Ask = Info[RequestContext, None]
