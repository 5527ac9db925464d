"""What can be followed: the root of every subscription."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from application.archive import NotFoundError
from application.commands.tell_hits import TellHits
from application.ports.projections import UnknownProjectionError
from application.ports.search import SearchRequest
from application.searches import understood
from application.searching.filters import Filters
from application.searching.query import Query
from infrastructure.search.new_hits import NewPlace, WatchedSearch
from interfaces.graphql.context import WAIT_SECONDS, Ask
from interfaces.graphql.cursors import decode_cursor
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.event import known_topics
from interfaces.graphql.live.events import EventFeedItem, feed_items
from interfaces.graphql.live.item import Item
from interfaces.graphql.live.jobs import JobFailed
from interfaces.graphql.live.projections import ProjectionProgress
from interfaces.graphql.live.saved_searches import SavedSearchHit
from interfaces.graphql.live.sources import sources_of
from interfaces.graphql.live.uploads import READ_MODEL
from interfaces.graphql.log_position import head, seen_position
from interfaces.graphql.node_ids import parse_id
from interfaces.graphql.reading import InWorkspace
from interfaces.graphql.saved_search import SavedSearchId, not_found, own
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.search import SearchMode
from interfaces.graphql.upload import Upload
from projections.saved_searches import queries as saved_queries
from projections.saved_searches.queries import SavedSearchRow
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


async def saved_search_hits(
    info: Ask,
    id: SavedSearchId,
    workspace: InWorkspace = "default",
    after: Annotated[
        str | None,
        strawberry.argument(
            description="The `cursor` of the last hit that you were told of, for example "
            "`WzEwMjQsMTA0ODU3Nl0`: you are told of everything that followed it, and of nothing "
            "twice. Null: of everything since the search was saved."
        ),
    ] = None,
) -> Any:
    context, container = info.context, info.context.container
    workspace_id = await context.known_workspace(info, workspace)
    row = await saved_row(info, workspace_id, id)
    place = NewPlace.behind(row.saved_position)
    if after is not None:
        seen = NewPlace(*decode_cursor(after, int, int))
        await seen_position(info, seen.position)
        place = max(place, seen)
    finder = container.new_hits
    mode = SearchMode(row.mode).mode
    begun_with = await context.run(
        lambda: finder.watched(workspace_id, query_of(row), mode)  # loads the model, if need be
    )

    def ask() -> WatchedSearch | None:
        with container.pool.connection() as database:
            owner, number = row.owner_id, row.saved_search_id
            kept = saved_queries.saved_search(database, workspace_id, owner, number)
        return None if kept is None else replace(begun_with, query=query_of(kept))

    def record(message_ids: Sequence[int]) -> Awaitable[int]:
        command = TellHits(saved_search_id=row.saved_search_id, message_ids=message_ids)
        own_context = context.within(workspace_id)
        return asyncio.to_thread(container.tell_hits, command, own_context)

    return await begun(sources_of(container).new_hits(finder).follow(ask, place, record))


def query_of(row: SavedSearchRow) -> Query:
    """
    As it is to be understood now: its days are reckoned anew.

    Raises:
        EmptyQueryError, QueryRefusedError: the query language has changed since it was saved.
    """
    request = SearchRequest(
        workspace_id=row.workspace_id,
        query=row.query,
        filters=Filters.from_dict(row.filters),
        time_zone=row.time_zone,
        mode=SearchMode(row.mode).mode,
    )
    return understood(request)


async def saved_row(info: Ask, workspace_id: UUID, id: str) -> SavedSearchRow:
    """
    Raises:
        SavedSearchNotFoundError: nobody will ever be told of it.
    """
    number = parse_id("SavedSearch", id)
    row = await own(info, workspace_id, number)
    if row is None and number is not None:
        # It may have been saved a moment ago.
        last = await info.context.read(head)
        positions = info.context.container.positions
        await positions.wait_async(["saved_searches"], last, WAIT_SECONDS)
        row = await own(info, workspace_id, number)
    if row is None:
        raise not_found()
    return row


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
    saved_search_hits: SavedSearchHit = strawberry.subscription(
        resolver=saved_search_hits,
        graphql_type=SavedSearchHit,
        description="Each message that a search which you have saved finds and could not find "
        "before, in the order in which they became searchable. Words and filters count exactly; "
        "meaning alone does where a hit of a search would be shown for it. A message that is "
        "edited is no new one. Ends when the search is deleted. The log records what you are told.",
    )
    job_failed: JobFailed = strawberry.subscription(
        resolver=job_failed,
        graphql_type=JobFailed,
        description="Each job that is given up, in the order of `failureId`, which is what to "
        "give as `after`. A job that has been retried meanwhile is left out.",
    )
