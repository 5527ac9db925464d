"""The log itself: every event as it was recorded, without what is personal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database
from strawberry.scalars import JSON

from domain.topics import EVENTS
from infrastructure.log.frames import EventFrame, frames, frames_at, frames_before
from interfaces.graphql.connections import Connection, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.log_position import log_reached
from interfaces.graphql.node import Node
from interfaces.graphql.node_ids import node_id
from interfaces.graphql.reading import (
    After,
    Before,
    First,
    InWorkspace,
    Last,
    MinPosition,
    among,
)
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.subjects import SUBJECT, SUBJECT_ID, subject, subject_id
from projections.paging import Slice, Window

EVENTS_BY_POSITION = PageOf[EventFrame]((int,), lambda frame: (frame.position,))
EXAMPLE = "019ab0c2-7d4e-7c31-9a3f-2b6f1c5d8e90"


@strawberry.type(description="An event of the log: a fact that never changes.")
class Event(Node):
    position: BigInt = strawberry.field(description="Its place in the log, for example 1024.")
    recorded_at: datetime = strawberry.field(
        description="When it was recorded, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    topic: str = strawberry.field(description="What happened, for example `upload.read`.")
    workspace_id: strawberry.ID | None = strawberry.field(
        description=f"For example `Workspace:{EXAMPLE}`; null: a fact about the instance."
    )
    actor_id: strawberry.ID = strawberry.field(description=f"Who acted, for example `{EXAMPLE}`.")
    subject_id: strawberry.ID = strawberry.field(description=SUBJECT_ID)
    subject_version: int = strawberry.field(
        description="Which event of its subject it is, counted from 1; for example 3."
    )
    correlation_id: strawberry.ID = strawberry.field(
        description=f"The same for all that one request caused, for example `{EXAMPLE}`."
    )
    causation_position: BigInt | None = strawberry.field(
        description="The event that it follows from, for example 1023; null: a person acted."
    )
    command_id: strawberry.ID | None = strawberry.field(
        description=f"The client's own, for example `{EXAMPLE}`; null: none was given."
    )
    facts: JSON = strawberry.field(
        description='What it says, for example `{"batches": 2, "messages": 700}`. Of long lists '
        "their length."
    )
    sealed_fields: list[str] = strawberry.field(
        description='Its personal fields, left out here, for example `["filename"]`.'
    )
    frame: strawberry.Private[EventFrame]

    @classmethod
    def of(cls, frame: EventFrame) -> Event:
        cause, workspace = frame.causation_position, frame.workspace_id
        return cls(
            id=node_id("Event", frame.position),
            position=BigInt(frame.position),
            recorded_at=frame.recorded_at,
            topic=frame.topic,
            workspace_id=None if workspace is None else node_id("Workspace", workspace),
            actor_id=opaque(frame.actor_id),
            subject_id=subject_id(frame.topic, frame.stream_id),
            subject_version=frame.stream_version,
            correlation_id=opaque(frame.correlation_id),
            causation_position=None if cause is None else BigInt(cause),
            command_id=None if frame.command_id is None else opaque(frame.command_id),
            facts=JSON(dict(frame.facts)),
            sealed_fields=list(frame.sealed),
            frame=frame,
        )

    @strawberry.field(description=SUBJECT)
    async def subject(self, info: Ask) -> Node | None:
        frame = self.frame
        found: Node | None = await subject(info, frame.topic, frame.workspace_id, frame.stream_id)
        return found


def opaque(id: UUID) -> strawberry.ID:
    return strawberry.ID(str(id))


async def events(
    info: Ask,
    workspace: InWorkspace = "default",
    after_position: Annotated[
        BigInt | None,
        strawberry.argument(
            description="Only what followed this position of the log, for example 1024: what "
            "`eventFeed` or an export told last. Null: from the log's beginning."
        ),
    ] = None,
    topics: Annotated[
        list[str] | None,
        strawberry.argument(
            description='Only events of these topics, for example `["upload.read"]`. Null: of all.'
        ),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Event] | None:
    window = EVENTS_BY_POSITION.window(first=first, after=after, last=last, before=before)
    info.context.spend_window(window)
    wanted = known_topics(topics)
    await log_reached(info, min_position)
    workspace_id = await info.context.known_workspace(info, workspace, min_position)
    query = partial(
        events_page,
        workspace_id=workspace_id,
        window=window,
        after=after_position or 0,
        topics=wanted,
    )
    return EVENTS_BY_POSITION.connection(await info.context.read(query), window, Event.of)


async def event(
    info: Ask,
    position: Annotated[
        BigInt, strawberry.argument(description="Its place in the log, for example 1024.")
    ],
    min_position: MinPosition = None,
) -> Event | None:
    await log_reached(info, min_position)
    found = await info.context.read(partial(among, info, find_events, [position]))
    return found.get(position)


def find_events(
    database: Database[Any], workspaces: Sequence[UUID], positions: Sequence[int]
) -> dict[int, Event]:
    """Of these workspaces, and of the instance."""
    return {
        frame.position: Event.of(frame)
        for frame in frames_at(database, positions)
        if frame.workspace_id is None or frame.workspace_id in workspaces
    }


def events_page(
    database: Database[Any],
    *,
    workspace_id: UUID,
    window: Window,
    after: int,
    topics: Collection[str] | None,
) -> Slice[EventFrame]:
    """Oldest first."""
    first = max(after, window.after[0] if window.after else 0)
    end = window.before[0] if window.before else None
    most = window.limit + 1  # to know whether there is more
    if window.is_backward:
        found = frames_before(
            database, workspace_id=workspace_id, before=end, topics=topics, limit=most
        )
        return window.slice([frame for frame in found if frame.position > first])
    up_to = None if end is None else end - 1
    return window.slice(
        frames(
            database,
            workspace_id=workspace_id,
            after=first,
            up_to=up_to,
            topics=topics,
            limit=most,
        )
    )


def known_topics(topics: list[str] | None) -> list[str] | None:
    """
    Raises:
        ArgumentRefusedError
    """
    for topic in topics or ():
        if topic not in EVENTS:
            raise ArgumentRefusedError(
                f"there is no topic {topic[:100]!r}; `eventTopics` lists them"
            )
    return topics
