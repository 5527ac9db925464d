"""Read models: how far each has come along the log."""

from __future__ import annotations

from enum import Enum

import strawberry

from infrastructure.projections import registry
from infrastructure.projections.registry import VersionStatus
from interfaces.graphql.context import Ask
from interfaces.graphql.scalars import BigInt


@strawberry.enum(description="What a version of a read model is for.")
class ProjectionStatus(Enum):
    BUILDING = strawberry.enum_value("building", description="It is being rebuilt, not read yet.")
    LIVE = strawberry.enum_value("live", description="It is read, and follows the log.")
    RETIRED = strawberry.enum_value("retired", description="Kept, to be swapped back to.")
    HALTED = strawberry.enum_value("halted", description="It is read, but an event stopped it.")


@strawberry.type(description="One version of a read model.")
class Projection:
    name: str = strawberry.field(description="The read model's name.")
    version: int = strawberry.field(description="Counts rebuilds, from 1.")
    status: ProjectionStatus = strawberry.field(description="What it is for.")
    position: BigInt = strawberry.field(description="The log up to here is in it.")
    lag_events: BigInt = strawberry.field(description="Events of the log that are not in it yet.")
    lag_seconds: float = strawberry.field(description="Age of the first of these; 0: up to date.")
    failed_position: BigInt | None = strawberry.field(description="The event that stopped it.")

    @classmethod
    def of(cls, found: VersionStatus) -> Projection:
        failed = found.failed_position
        return cls(
            name=found.name,
            version=found.version,
            status=ProjectionStatus(found.status),
            position=BigInt(found.position),
            lag_events=BigInt(found.lag_events),
            lag_seconds=found.lag_seconds,
            failed_position=None if failed is None else BigInt(failed),
        )


async def projections(info: Ask) -> list[Projection]:
    return [Projection.of(found) for found in await info.context.read(registry.status)]
