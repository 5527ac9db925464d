"""How read models come along, told when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import strawberry
from psycopg_pool import ConnectionPool

from application.ports.projections import UnknownProjectionError
from infrastructure.projections import registry
from infrastructure.projections.registry import VersionStatus
from interfaces.graphql.live.item import Item
from interfaces.graphql.live.watch import Listen, Watch
from interfaces.graphql.projection import ProjectionStatus, RebuildStage
from interfaces.graphql.scalars import BigInt

LEAST_SECONDS = 0.25
MOST_SECONDS = 1.0  # a rebuild moves without a notification


@strawberry.type(description="A version of a read model that is being built, and not read yet.")
class RebuildProgress:
    version: int = strawberry.field(description="Counts rebuilds, from 1; for example `2`.")
    position: BigInt = strawberry.field(
        description="The log up to here is in it; for example 1024."
    )
    progress: float = strawberry.field(
        description="0 to 1: how much of the log is in it; for example `0.25`."
    )
    stage: RebuildStage = strawberry.field(
        description="What it is at, for example `INDEXING`: then `progress` stands still."
    )


@strawberry.type(description="How far a read model has come, at the moment it is told.")
class ProjectionProgress:
    name: str = strawberry.field(description="The read model's name, for example `uploads`.")
    version: int = strawberry.field(
        description="The version that is read, counted from 1; for example 2."
    )
    status: ProjectionStatus = strawberry.field(description="Whether it follows the log.")
    position: BigInt = strawberry.field(
        description="The log up to here is in it; for example 1024."
    )
    head: BigInt = strawberry.field(description="The log's last position, for example 1030.")
    rebuild: RebuildProgress | None = strawberry.field(
        description="The version that is being built beside it; null: there is none."
    )


State = tuple[VersionStatus, VersionStatus | None]  # that is read, that is being built


class ProjectionStates(Watch):
    """One query for all who follow, at most four times a second."""

    def __init__(self, listen: Listen, pool: ConnectionPool[Any]) -> None:
        super().__init__(listen, least_seconds=LEAST_SECONDS, most_seconds=MOST_SECONDS)
        self._pool = pool
        self._states: dict[str, State] = {}
        self._items: dict[str, Item] = {}

    async def begin(self) -> None:
        self._states.clear()
        self._items.clear()
        await self.look()

    async def look(self) -> bool:
        found = states(await asyncio.to_thread(self._read))
        changed = {
            name: state
            for name, state in found.items()
            if name not in self._states or shown(state) != shown(self._states[name])
        }
        self._states |= changed
        self._items |= {name: item(state) for name, state in changed.items()}
        return bool(changed)

    def _read(self) -> Sequence[VersionStatus]:
        with self._pool.connection() as connection:
            return registry.status(connection)

    async def follow(self, name: str) -> AsyncGenerator[Item | None, None]:
        """
        First None; then the state as it is, and each one that follows, unless it is passing while
        the one before is being told.

        Raises:
            UnknownProjectionError
        """
        async with self.followed():
            if name not in self._items:
                raise UnknownProjectionError(f"there is no projection {name[:100]!r}")
            yield None
            told = None
            while True:
                turn, item = self.turn, self._items[name]
                if item is told:
                    await turn.wait()
                else:
                    told = item
                    yield item


def states(versions: Sequence[VersionStatus]) -> dict[str, State]:
    building = {found.name: found for found in versions if found.status == "building"}
    return {found.name: (found, building.get(found.name)) for found in versions if found.is_read}


def shown(state: State) -> tuple[object, ...]:
    """What counts as a change; the log's growth alone does not."""
    return tuple(
        (found.version, found.status, found.position, found.stage) if found is not None else None
        for found in state
    )


def item(state: State) -> Item:
    return Item(lambda: progress(*state))


def progress(read: VersionStatus, built: VersionStatus | None) -> ProjectionProgress:
    rebuild = None
    if built is not None:
        rebuild = RebuildProgress(
            version=built.version,
            position=BigInt(built.position),
            progress=built.progress,
            stage=RebuildStage(built.stage or "loading"),
        )
    return ProjectionProgress(
        name=read.name,
        version=read.version,
        status=ProjectionStatus(read.status),
        position=BigInt(read.position),
        head=BigInt(read.head),
        rebuild=rebuild,
    )
