"""Read models: how far each has come along the log, and what stopped it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from infrastructure.projections import registry
from infrastructure.projections.registry import VersionStatus
from interfaces.graphql.connections import Connection, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.log_position import log_reached
from interfaces.graphql.node import Node
from interfaces.graphql.node_ids import key_of, node_id
from interfaces.graphql.reading import After, Before, First, Last, MinPosition
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.subjects import versions_by_name
from projections.paging import Slice, Window


@strawberry.enum(description="What a version of a read model is for.")
class ProjectionStatus(Enum):
    BUILDING = strawberry.enum_value("building", description="It is being rebuilt, not read yet.")
    LIVE = strawberry.enum_value("live", description="It is read, and follows the log.")
    RETIRED = strawberry.enum_value("retired", description="Kept, to be swapped back to.")
    HALTED = strawberry.enum_value("halted", description="It is read, but an event stopped it.")


@strawberry.enum(description="How far the rebuild of a read model is.")
class RebuildStage(Enum):
    LOADING = strawberry.enum_value(
        "loading", description="Events are read from the log: `progress` grows."
    )
    INDEXING = strawberry.enum_value(
        "indexing", description="All events are in it; indexes are built, which may take minutes."
    )
    SWITCHING = strawberry.enum_value(
        "switching", description="It is complete, and about to be read instead of the other one."
    )


@strawberry.type(description="An event that a read model cannot digest.")
class ProjectionFailure:
    position: BigInt = strawberry.field(description="Its place in the log, for example 1024.")
    topic: str = strawberry.field(description="For example `transcript.recorded`.")
    error: str = strawberry.field(
        description="The exception's class and place, for example `ValueError at fold`."
    )
    failed_at: datetime | None = strawberry.field(
        description="When, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )


@strawberry.type(description="One version of a read model. A rebuild makes the next one.")
class ProjectionVersion:
    version: int = strawberry.field(description="Counts rebuilds, from 1; for example 2.")
    code_version: int = strawberry.field(
        description="The definition in the program that built it, for example 2."
    )
    status: ProjectionStatus = strawberry.field(description="What it is for.")
    position: BigInt = strawberry.field(
        description="The log up to here is in it; for example 1024."
    )
    lag_events: BigInt = strawberry.field(
        description="Events of the log that are not in it yet, for example 12."
    )
    lag_seconds: float = strawberry.field(
        description="Age of the first of these, for example 0.4; 0: up to date. Of a version "
        "that is being built it says little: see `stage` and `progress`."
    )
    progress: float = strawberry.field(
        description="How much of the log is in it, 0 to 1; for example 0.98."
    )
    created_at: datetime = strawberry.field(
        description="When its tables were made, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    updated_at: datetime = strawberry.field(
        description="When it last moved, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    stage: RebuildStage | None = strawberry.field(
        description="How far its rebuild is, for example `INDEXING`; null: it is built."
    )
    failure: ProjectionFailure | None = strawberry.field(
        description="What stopped it; null: nothing did."
    )

    @classmethod
    def of(cls, found: VersionStatus) -> ProjectionVersion:
        failure = None
        if found.failed_position is not None:
            failure = ProjectionFailure(
                position=BigInt(found.failed_position),
                topic=found.failed_topic or "",
                error=found.error or "",
                failed_at=found.failed_at,
            )
        return cls(
            version=found.version,
            code_version=found.code_version,
            status=ProjectionStatus(found.status),
            position=BigInt(found.position),
            lag_events=BigInt(found.lag_events),
            lag_seconds=found.lag_seconds,
            progress=found.progress,
            created_at=found.created_at,
            updated_at=found.updated_at,
            stage=RebuildStage(found.stage) if found.stage is not None else None,
            failure=failure,
        )


@strawberry.type(description="A read model: what queries are answered from, built from the log.")
class Projection(Node):
    name: str = strawberry.field(description="The read model's name, for example `messages`.")
    current: ProjectionVersion = strawberry.field(description="The version that is read.")
    building: ProjectionVersion | None = strawberry.field(
        description="The version that a rebuild is at; null: none is."
    )
    versions: list[ProjectionVersion] = strawberry.field(
        description="Every version that there is, the oldest first: at most a few."
    )

    @classmethod
    def of(cls, found: Sequence[VersionStatus]) -> Projection:
        versions = {one.version: ProjectionVersion.of(one) for one in found}
        building = [versions[one.version] for one in found if one.status == "building"]
        return cls(
            id=node_id("Projection", found[0].name),
            name=found[0].name,
            current=next(versions[one.version] for one in found if one.is_read),
            building=building[0] if building else None,
            versions=list(versions.values()),
        )


PROJECTIONS = PageOf[list[VersionStatus]]((str,), lambda found: (found[0].name,))


async def projections(
    info: Ask,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Projection] | None:
    window = PROJECTIONS.window(first=first, after=after, last=last, before=before)
    info.context.spend_window(window)
    await log_reached(info, min_position)
    found = by_name(await info.context.read(registry.status))
    return PROJECTIONS.connection(cut(found, window), window, Projection.of)


async def projection(
    info: Ask,
    name: Annotated[
        str,
        strawberry.argument(
            description="Its name or its id, for example `messages` or `Projection:messages`."
        ),
    ],
    min_position: MinPosition = None,
) -> Projection | None:
    await log_reached(info, min_position)
    wanted = key_of("Projection", name)
    if wanted is None:
        return None
    found = await info.context.read(partial(find_projections, workspaces=(), names=[wanted]))
    return found.get(wanted)


def find_projections(
    database: Database[Any], workspaces: Sequence[UUID], names: Sequence[str]
) -> dict[str, Projection]:
    """Of the instance: every read model holds all workspaces."""
    del workspaces
    found = versions_by_name(database, names)
    return {name: Projection.of(versions) for name, versions in found.items()}


def by_name(found: Sequence[VersionStatus]) -> list[list[VersionStatus]]:
    """Each read model's versions, by name. One without a version that is read is left out."""
    groups = [list(group) for _, group in groupby(found, key=lambda one: one.name)]
    return [group for group in groups if any(one.is_read for one in group)]


def cut(found: list[list[VersionStatus]], window: Window) -> Slice[list[VersionStatus]]:
    """There are a dozen: they are read as a whole."""
    rows = [
        group
        for group in found
        if (window.after is None or group[0].name > window.after[0])
        and (window.before is None or group[0].name < window.before[0])
    ]
    return window.slice((rows[::-1] if window.is_backward else rows)[: window.limit + 1])
