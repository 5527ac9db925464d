"""What one has searched for."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import strawberry
from strawberry.scalars import JSON

from application.ports.past_searches import PastSearch as FoundSearch
from interfaces.graphql.connections import Connection, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.node_ids import node_id
from interfaces.graphql.reading import (
    After,
    Before,
    First,
    InWorkspace,
    Last,
    MinPosition,
    page_in,
)
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.search import SearchMode, SearchSort
from projections.searches.queries import SearchRow, searches_page

SEARCHES = PageOf[SearchRow]((int,), lambda row: (row.position,))


@strawberry.type(description="A search that was made, as the log has it.")
class PastSearch:
    event_position: BigInt = strawberry.field(
        description="Where the log has recorded it, for example 1025: what `replaySearch` and "
        "exports take."
    )
    searched_at: datetime = strawberry.field(
        description="When it was recorded, in UTC, for example `2026-03-01T09:02:00+00:00`."
    )
    query: str | None = strawberry.field(
        description="As it was written, for example `life jackets from:Ada`. Null: the key that "
        "it was sealed with was destroyed."
    )
    mode: SearchMode = strawberry.field(description="What it went by.")
    sort: SearchSort | None = strawberry.field(
        description="What its hits were ordered by. Null: it was recorded before that was kept."
    )
    filters: JSON | None = strawberry.field(
        description="Those of the query and those beside it, with dates worked out, for example "
        '`{"authors": ["Ada"], "has": ["link"]}`. Null: as of `query`.'
    )
    time_zone: str | None = strawberry.field(
        description="In which the days of the query began, for example `Europe/Berlin`. Null: it "
        "was recorded before that was kept."
    )
    limit: int | None = strawberry.field(
        description="Hits at most, for example 10. Null: it was recorded before that was kept."
    )
    hit_count: int = strawberry.field(description="Hits on its first page, for example 10.")
    milliseconds: float = strawberry.field(
        description="How long it took until the hits were known, for example 12.5."
    )
    model: str | None = strawberry.field(
        description="The embedding model, for example `all-MiniLM-L6-v2@1`; null for words alone."
    )
    position: BigInt = strawberry.field(
        description="The log position that its answer reflected, for example 1024."
    )
    is_partial: bool = strawberry.field(
        description="Some messages were not indexed yet when it was made."
    )
    saved_search_id: strawberry.ID | None = strawberry.field(
        description="The saved search that was run, for example "
        "`SavedSearch:019ab0c2-7d4e-7c31-9a3f-2b6f1c5d8e90`. Null: none was."
    )

    @classmethod
    def of(cls, row: SearchRow) -> PastSearch:
        saved = row.saved_search_id
        return cls(
            event_position=BigInt(row.position),
            searched_at=row.searched_at,
            query=row.query,
            mode=SearchMode(row.mode),
            sort=None if row.sort is None else SearchSort(row.sort),
            filters=None if row.filters is None else JSON(row.filters),
            time_zone=row.time_zone,
            limit=row.hit_limit,
            hit_count=row.hits,
            milliseconds=row.milliseconds,
            model=row.model,
            position=BigInt(row.log_position),
            is_partial=row.is_partial,
            saved_search_id=None if saved is None else node_id("SavedSearch", saved),
        )

    @classmethod
    def of_log(cls, found: FoundSearch) -> PastSearch:
        """The same, read from the log itself."""
        saved = found.saved_search_id
        return cls(
            event_position=BigInt(found.event_position),
            searched_at=found.searched_at,
            query=found.query,
            mode=SearchMode(found.mode),
            sort=None if found.sort is None else SearchSort(found.sort),
            filters=None if found.query is None else JSON(found.filters.as_dict()),
            time_zone=found.time_zone,
            limit=found.limit,
            hit_count=len(found.hits),
            milliseconds=found.milliseconds,
            model=found.model,
            position=BigInt(found.position),
            is_partial=found.is_partial,
            saved_search_id=None if saved is None else node_id("SavedSearch", saved),
        )


async def search_history(
    info: Ask,
    workspace: InWorkspace = "default",
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[PastSearch] | None:
    window = SEARCHES.window(first=first, after=after, last=last, before=before)
    query = partial(searches_page, searcher_id=info.context.actor.actor_id)
    models = ["searches"]
    return await page_in(
        info, workspace, models, min_position, SEARCHES, window, query, PastSearch.of
    )
