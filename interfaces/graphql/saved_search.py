"""Searches that one has saved: the list, and running one."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from psycopg import Connection as Database
from strawberry.scalars import JSON

from application.ports.search import SearchRequest
from application.saved_searches import SavedSearchNotFoundError
from application.searches import MAX_CONTEXT, MAX_LIMIT
from application.searching.filters import Filters
from domain.workspace import UnknownWorkspaceError
from interfaces.graphql.connections import Connection, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.node_ids import node_id, parse_id
from interfaces.graphql.reading import (
    After,
    Before,
    First,
    InWorkspace,
    Last,
    MinPosition,
    page_in,
)
from interfaces.graphql.refusals import (
    QueryRefused,
    SavedSearchNotFound,
    SearchTimedOut,
    UnknownWorkspace,
)
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.search import SearchMode, SearchResult, SearchSort, answered
from projections.saved_searches import queries
from projections.saved_searches.queries import SavedSearchRow

EXAMPLE = "SavedSearch:019ab0c2-7d4e-7c31-9a3f-2b6f1c5d8e90"
SAVED_SEARCHES = PageOf[SavedSearchRow]((int,), lambda row: (row.saved_position,))
NOBODYS = "you have no such saved search"


@strawberry.type(description="A search that you have saved.")
class SavedSearch:
    id: strawberry.ID = strawberry.field(description=f"Names it, for example `{EXAMPLE}`.")
    name: str = strawberry.field(description="As you call it, for example `Life jackets`.")
    query: str = strawberry.field(
        description="In the query language, for example `life jackets after:7d`, which is seven "
        "days before it is run."
    )
    mode: SearchMode = strawberry.field(description="What it goes by.")
    sort: SearchSort = strawberry.field(description="What its hits are ordered by.")
    filters: JSON = strawberry.field(
        description='Those beside the query, for example `{"authors": ["Ada"]}`.'
    )
    time_zone: str = strawberry.field(
        description="In which the days of the query begin, for example `Europe/Berlin`."
    )
    saved_at: datetime = strawberry.field(
        description="When it was saved, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    position: BigInt = strawberry.field(
        description="Of the event that last changed it, for example 1024."
    )

    @classmethod
    def of(cls, row: SavedSearchRow) -> SavedSearch:
        return cls(
            id=node_id("SavedSearch", row.saved_search_id),
            name=row.name,
            query=row.query,
            mode=SearchMode(row.mode),
            sort=SearchSort(row.sort),
            filters=JSON(row.filters),
            time_zone=row.time_zone,
            saved_at=row.saved_at,
            position=BigInt(row.position),
        )


SavedSearchAnswer = Annotated[
    SearchResult | QueryRefused | SavedSearchNotFound | SearchTimedOut | UnknownWorkspace,
    strawberry.union(
        "SavedSearchAnswer", description="What was found, or why nothing was looked for."
    ),
]
SavedSearchId = Annotated[
    strawberry.ID,
    strawberry.argument(description=f"The saved search's id, for example `{EXAMPLE}`."),
]


async def saved_searches(
    info: Ask,
    workspace: InWorkspace = "default",
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[SavedSearch] | None:
    window = SAVED_SEARCHES.window(first=first, after=after, last=last, before=before)
    query = partial(queries.saved_searches_page, owner_id=info.context.actor.actor_id)
    models = ["saved_searches"]
    return await page_in(
        info, workspace, models, min_position, SAVED_SEARCHES, window, query, SavedSearch.of
    )


async def run_saved_search(
    info: Ask,
    id: SavedSearchId,
    workspace: InWorkspace = "default",
    limit: Annotated[
        int, strawberry.argument(description=f"Hits at most, 1 to {MAX_LIMIT}, for example 20.")
    ] = 10,
    after: Annotated[
        str | None,
        strawberry.argument(
            description="The cursor of a hit: what follows on it, of the result as it was when its "
            "first page was made; for example `WyI5ZjI1Il0`."
        ),
    ] = None,
    context: Annotated[
        int,
        strawberry.argument(
            description=f"Messages before and after each hit, 0 to {MAX_CONTEXT}, for example 3."
        ),
    ] = 2,
    min_position: MinPosition = None,
) -> SavedSearchAnswer | None:
    try:
        await info.context.caught_up(info, ["saved_searches"], min_position)
        workspace_id = await info.context.known_workspace(info, workspace, min_position)
    except UnknownWorkspaceError as error:
        return UnknownWorkspace(code="UNKNOWN_WORKSPACE", message=str(error))
    row = await own(info, workspace_id, parse_id("SavedSearch", id))
    if row is None:
        return SavedSearchNotFound(code="SAVED_SEARCH_NOT_FOUND", message=NOBODYS)
    saved = SearchRequest(
        workspace_id=workspace_id,
        query=row.query,
        filters=Filters.from_dict(row.filters),
        time_zone=row.time_zone,
        mode=SearchMode(row.mode).mode,
        sort=SearchSort(row.sort).sort,
        limit=limit,
        context=context,
        saved_search_id=row.saved_search_id,
        min_position=min_position or 0,
    )
    found: Any = await answered(info, lambda: saved, after=after)
    return cast("SavedSearchAnswer", found)


async def own(info: Ask, workspace_id: UUID, id: UUID | None) -> SavedSearchRow | None:
    """That of the actor, if they have it."""
    if id is None:
        return None
    actor_id = info.context.actor.actor_id

    def find(database: Database[Any]) -> SavedSearchRow | None:
        return queries.saved_search(database, workspace_id, actor_id, id)

    return await info.context.read(find)


def not_found() -> SavedSearchNotFoundError:
    return SavedSearchNotFoundError(NOBODYS)
