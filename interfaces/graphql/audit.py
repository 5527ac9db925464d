"""The audit trail: who did what, from where, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from interfaces.graphql.connections import Connection, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.event import EXAMPLE, known_topics, opaque
from interfaces.graphql.node import Node
from interfaces.graphql.node_ids import key_of, kind_of, node_id, parse_id
from interfaces.graphql.reading import After, Before, First, Last, MinPosition, moment, page_in
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.subjects import (
    SUBJECT,
    SUBJECT_ID,
    read_models_by_stream,
    subject,
    subject_id,
)
from projections.audit_trail import queries
from projections.audit_trail.queries import AuditFilter, AuditRow

ENTRIES = PageOf[AuditRow]((int,), lambda row: (row.position,))


@strawberry.type(description="Who acted.")
class Actor:
    id: strawberry.ID = strawberry.field(description=f"Opaque, for example `{EXAMPLE}`.")
    name: str = strawberry.field(description="As people call it, for example `Local owner`.")


@strawberry.type(description="One fact about where a request came from.")
class OriginFact:
    name: str = strawberry.field(
        description="What it says, for example `channel`, `client` or `user_agent`."
    )
    value: str = strawberry.field(description="What the request said, for example `http`.")


@strawberry.type(description="One event of the log, in words.")
class AuditEntry(Node):
    position: BigInt = strawberry.field(description="Its place in the log, for example 1024.")
    recorded_at: datetime = strawberry.field(
        description="When it was recorded, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    actor: Actor = strawberry.field(description="Who did it.")
    action: str = strawberry.field(description="The event's topic, for example `search.performed`.")
    summary: str = strawberry.field(
        description="A sentence of which the actor is the subject, for example `withdrew upload "
        "5b1f0d3c`."
    )
    subject_id: strawberry.ID = strawberry.field(description=SUBJECT_ID)
    origin: list[OriginFact] = strawberry.field(description="From where; empty: none, or erased.")
    correlation_id: strawberry.ID = strawberry.field(
        description=f"One for all of one request, for example `{EXAMPLE}`."
    )
    causation_position: BigInt | None = strawberry.field(
        description="The event it follows from, for example 1023; null: a person acted."
    )
    command_id: strawberry.ID | None = strawberry.field(
        description=f"The client's own, if any, for example `{EXAMPLE}`."
    )
    row: strawberry.Private[AuditRow]

    @classmethod
    def of(cls, row: AuditRow) -> AuditEntry:
        cause = row.causation_position
        return cls(
            id=node_id("AuditEntry", row.position),
            position=BigInt(row.position),
            recorded_at=row.recorded_at,
            actor=Actor(id=opaque(row.actor_id), name=row.actor),
            action=row.action,
            summary=row.words,
            subject_id=subject_id(row.action, row.subject_id),
            origin=[OriginFact(name=name, value=text) for name, text in row.origin.items()],
            correlation_id=opaque(row.correlation_id),
            causation_position=None if cause is None else BigInt(cause),
            command_id=None if row.command_id is None else opaque(row.command_id),
            row=row,
        )

    @strawberry.field(description=SUBJECT)
    async def subject(self, info: Ask) -> Node | None:
        row = self.row
        found: Node | None = await subject(info, row.action, row.workspace_id, row.subject_id)
        return found


@strawberry.input(description="Each field restricts; null does not.")
class AuditTrailFilter:
    actor: strawberry.ID | None = strawberry.field(
        default=None, description=f"Only what this actor did, for example `{EXAMPLE}`."
    )
    actions: list[str] | None = strawberry.field(
        default=None, description='Only these topics, for example `["upload.withdrawn"]`.'
    )
    subject: strawberry.ID | None = strawberry.field(
        default=None,
        description=f"Only what is about this, for example `Upload:{EXAMPLE}` or `{EXAMPLE}`.",
    )
    since: datetime | None = strawberry.field(
        name="from",
        default=None,
        description="Only what was recorded then or later, for example `2026-03-01T00:00:00Z`.",
    )
    until: datetime | None = strawberry.field(
        name="to",
        default=None,
        description="Only what was recorded before, for example `2026-04-01T00:00:00Z`.",
    )

    def parsed(self) -> AuditFilter:
        """
        Raises:
            ArgumentRefusedError
        """
        actions = known_topics(self.actions)
        return AuditFilter(
            actor_id=None if self.actor is None else id_of(self.actor),
            actions=None if actions is None else tuple(actions),
            subject_id=None if self.subject is None else id_of(self.subject),
            since=moment(self.since),
            until=moment(self.until),
        )


def id_of(text: str) -> UUID:
    """Of whatever kind."""
    kind = kind_of(text)
    key = key_of(kind, text) or ""
    if kind == "Projection":
        found = next((id for id, name in read_models_by_stream().items() if name == key), None)
    else:
        found = parse_id("", key)
    if found is None:
        raise ArgumentRefusedError(f"{text[:100]!r} is not an id of anything in the audit trail")
    return found


async def audit_trail(
    info: Ask,
    workspace: Annotated[
        str | None,
        strawberry.argument(
            description="The workspace's name or id, for example `default`. Null: what concerns "
            "the instance, such as jobs and read models."
        ),
    ] = "default",
    filter: Annotated[
        AuditTrailFilter | None, strawberry.argument(description="Null: everything.")
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[AuditEntry] | None:
    window = ENTRIES.window(first=first, after=after, last=last, before=before)
    wanted = queries.NO_FILTER if filter is None else filter.parsed()
    query = partial(queries.audit_page, filter=wanted)
    if workspace is not None:
        models = ["audit_trail"]
        return await page_in(
            info, workspace, models, min_position, ENTRIES, window, query, AuditEntry.of
        )
    info.context.spend_window(window)
    await info.context.caught_up(info, ["audit_trail"], min_position)
    found = await info.context.read(partial(query, workspace_id=None, window=window))
    return ENTRIES.connection(found, window, AuditEntry.of)


def find_entries(
    database: Database[Any], workspaces: Sequence[UUID], positions: Sequence[int]
) -> dict[int, AuditEntry]:
    """Of these workspaces, and of the instance."""
    found = queries.entries_among(database, workspaces, positions)
    return {position: AuditEntry.of(row) for position, row in found.items()}
