"""The audit trail: who did what, from where, and why."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from interfaces.graphql.context import MAX_FIRST, Ask
from interfaces.graphql.scalars import BigInt
from projections.audit_trail import queries
from projections.audit_trail.queries import AuditRow


@strawberry.type(description="Who acted.")
class Actor:
    id: strawberry.ID = strawberry.field(description="Opaque.")
    name: str = strawberry.field(description="As people call it.")


@strawberry.type(description="One fact about where a request came from.")
class OriginFact:
    name: str = strawberry.field(description="Such as channel, client or user_agent.")
    value: str = strawberry.field(description="What the request said.")


@strawberry.type(description="One event of the log, in words.")
class AuditEntry:
    position: BigInt = strawberry.field(description="Its place in the log.")
    recorded_at: datetime = strawberry.field(description="When it was recorded, in UTC.")
    actor: Actor = strawberry.field(description="Who did it.")
    action: str = strawberry.field(description="The event's topic, such as search.performed.")
    words: str = strawberry.field(description="A sentence of which the actor is the subject.")
    subject_id: strawberry.ID = strawberry.field(description="The upload, search, … it is about.")
    origin: list[OriginFact] = strawberry.field(description="From where; empty: none, or erased.")
    correlation_id: strawberry.ID = strawberry.field(description="One for all of one request.")
    causation_position: BigInt | None = strawberry.field(description="The event it follows from.")
    command_id: strawberry.ID | None = strawberry.field(description="The client's own, if any.")

    @classmethod
    def of(cls, row: AuditRow) -> AuditEntry:
        cause = row.causation_position
        return cls(
            position=BigInt(row.position),
            recorded_at=row.recorded_at,
            actor=Actor(id=opaque(row.actor_id), name=row.actor),
            action=row.action,
            words=row.words,
            subject_id=opaque(row.subject_id),
            origin=[OriginFact(name=name, value=text) for name, text in row.origin.items()],
            correlation_id=opaque(row.correlation_id),
            causation_position=None if cause is None else BigInt(cause),
            command_id=None if row.command_id is None else opaque(row.command_id),
        )


def opaque(id: UUID) -> strawberry.ID:
    return strawberry.ID(str(id))


async def audit_trail(
    info: Ask,
    workspace: Annotated[str, strawberry.argument(description="The archive's name.")] = "default",
    first: Annotated[
        int, strawberry.argument(description=f"At most so many, 1 to {MAX_FIRST}.")
    ] = 50,
    before: Annotated[
        BigInt | None,
        strawberry.argument(description="Only what came before this position: the next page."),
    ] = None,
) -> list[AuditEntry] | None:
    info.context.spend_first(first)
    query = partial(queries.audit_trail, before=before, limit=first)
    return [AuditEntry.of(row) for row in await info.context.read_in(workspace, query)]
