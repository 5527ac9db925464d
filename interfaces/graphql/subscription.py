"""What can be followed: the root of every subscription."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from application.archive import NotFoundError
from application.ports.projections import UnknownProjectionError
from interfaces.graphql.context import WAIT_SECONDS, Ask
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.event import known_topics
from interfaces.graphql.live.events import EventFeedItem, feed_items
from interfaces.graphql.live.item import Item
from interfaces.graphql.live.jobs import JobFailed
from interfaces.graphql.live.projections import ProjectionProgress
from interfaces.graphql.live.sources import sources_of
from interfaces.graphql.live.uploads import READ_MODEL
from interfaces.graphql.log_position import head, seen_position
from interfaces.graphql.node_ids import parse_id
from interfaces.graphql.reading import InWorkspace
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.upload import Upload
from projections.uploads import queries

AfterPosition = Annotated[
    BigInt | None,
    strawberry.argument(
        description="The `position` of the last item that you were told of, for example `1024`: "
        "you are told of everything that followed it, and of nothing twice."
    ),
]


async def event_feed(
    info: Ask,
    workspace: InWorkspace = "default",
    after: AfterPosition = None,
    topics: Annotated[
        list[str] | None,
        strawberry.argument(
            description='Only events of these topics, for example `["upload.read"]`. Null: of all.'
        ),
    ] = None,
) -> Any:
    workspace_id = await info.context.known_workspace(info, workspace)
    begin = await seen_position(info, after)
    items = feed_items(
        info.context.container.event_feed,
        workspace_id=workspace_id,
        after=begin,
        topics=known_topics(topics),
    )
    return await begun(items)


async def upload_changed(
    info: Ask,
    workspace: InWorkspace = "default",
    id: Annotated[
        strawberry.ID | None,
        strawberry.argument(
            description="Only this upload, for example "
            "`Upload:019ab0c2-7d4e-7c31-9a3f-2b6f1c5d8e90`. Null: every one of the workspace."
        ),
    ] = None,
    after: AfterPosition = None,
) -> Any:
    workspace_id = await info.context.known_workspace(info, workspace)
    upload_id = None if id is None else upload_id_of(id)
    begin = await seen_position(info, after)
    if upload_id is not None:
        await check_upload(info, workspace_id, upload_id)
        begin = begin or 0  # as it is now
    changes = sources_of(info.context.container).uploads(workspace_id)
    return await begun(changes.follow(begin, upload_id))


async def projection_progress(
    info: Ask,
    name: Annotated[
        str, strawberry.argument(description="The read model's name, for example `uploads`.")
    ],
) -> Any:
    states = sources_of(info.context.container).projections
    try:
        return await begun(states.follow(name))
    except UnknownProjectionError as error:
        raise ArgumentRefusedError(str(error)) from error


async def job_failed(
    info: Ask,
    after: Annotated[
        BigInt | None,
        strawberry.argument(
            description="The `failureId` of the last failure that you were told of, for example "
            "`7`: you are told of everything that followed it. Null: of what fails from now on."
        ),
    ] = None,
) -> Any:
    return await begun(sources_of(info.context.container).job_failures.follow(seen_failure(after)))


async def begun(items: AsyncGenerator[Item | None, None]) -> AsyncGenerator[Item | None, None]:
    """What goes wrong until the source is open refuses the subscription; later it goes on."""
    await anext(items, None)
    return items


def seen_failure(after: int | None) -> int | None:
    """
    Raises:
        ArgumentRefusedError
    """
    if after is not None and after < 0:
        raise ArgumentRefusedError("after is 0 or more")
    return after


async def check_upload(info: Ask, workspace_id: UUID, upload_id: UUID) -> None:
    """
    Raises:
        NotFoundError: nobody will ever be told of it.
    """
    context = info.context

    def is_there(database: Database[Any]) -> bool:
        return queries.upload(database, workspace_id, upload_id) is not None

    if await context.read(is_there):
        return
    # It may have been sent a moment ago.
    last = await context.read(head)
    reached = await context.container.positions.wait_async([READ_MODEL], last, WAIT_SECONDS)
    if not await context.read(is_there) and reached:
        raise NotFoundError("there is no such upload")


def upload_id_of(id: str) -> UUID:
    """
    Raises:
        ArgumentRefusedError
    """
    upload_id = parse_id("Upload", id)
    if upload_id is None:
        raise ArgumentRefusedError("this is not the id of an upload")
    return upload_id


@strawberry.type(
    description="What can be followed, over a WebSocket (graphql-transport-ws) or an event stream "
    "(graphql-sse). After any interruption begin again with the `after` of the last item: nothing "
    "is missed and nothing comes twice."
)
class Subscription:
    event_feed: EventFeedItem = strawberry.subscription(
        resolver=event_feed,
        graphql_type=EventFeedItem,
        description="Each event of a workspace as it is recorded, in order. Without `after`, what "
        "is recorded from now on.",
    )
    upload_changed: Upload = strawberry.subscription(
        resolver=upload_changed,
        graphql_type=Upload,
        description="Uploads as they are, whenever they have changed, in the order of their "
        "`position`, which is what to give as `after`. A reader who is slow is not told each "
        "state in between, but always the last. Without `after`, a single upload comes as it is "
        "now, and all uploads of a workspace when they change from now on.",
    )
    projection_progress: ProjectionProgress = strawberry.subscription(
        resolver=projection_progress,
        graphql_type=ProjectionProgress,
        description="How far a read model has come: as it is now, then whenever that changes, at "
        "most four times a second.",
    )
    job_failed: JobFailed = strawberry.subscription(
        resolver=job_failed,
        graphql_type=JobFailed,
        description="Each job that is given up, in the order of `failureId`, which is what to "
        "give as `after`. A job that has been retried meanwhile is left out.",
    )
