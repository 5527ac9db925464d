"""The hits of a search, one page after the other, with what brought each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.commands.perform_search import Searched
from application.context import Context
from application.ports.search import Hit, SearchRequest

HITS_A_PAGE = 100  # as many as a search gives at once
MOST_HITS = 10_000  # of one export
UPLOADS = """
SELECT m.message_id, m.upload_ids[1], u.filename
FROM read.message AS m
LEFT JOIN read.upload AS u ON u.workspace_id = m.workspace_id AND u.upload_id = m.upload_ids[1]
WHERE m.workspace_id = %s AND m.message_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedHit:
    rank: int  # in the whole result, from 1
    hit: Hit
    upload_id: UUID | None  # None: withdrawn at this very moment
    upload: str | None  # the file's name


@dataclass(frozen=True, slots=True, kw_only=True)
class HitsPage:
    searched: Searched
    hits: Sequence[ExportedHit]


def hit_pages(
    perform: Callable[[SearchRequest, Context], Searched],
    pool: ConnectionPool[Connection[Any]],
    request: SearchRequest,
    context: Context,
    limit: int,
) -> Iterator[HitsPage]:
    """
    Of one result, as it was when its first page was made. Each page is a search that is recorded
    before it is given. Blocks; the next page is looked for when it is asked for.

    Args:
        limit: hits in all.

    Raises:
        EmptyQueryError, QueryRefusedError: before the first page.
        SearchTookTooLongError
    """
    given, after = 0, None
    while given < limit:
        page = min(HITS_A_PAGE, limit - given)
        asked = replace(request, limit=page, after=after, context=0)
        searched = perform(asked, context)
        hits = searched.answer.hits
        uploads = uploads_of(pool, request.workspace_id, [hit.message.id for hit in hits])
        yield HitsPage(
            searched=searched,
            hits=[
                ExportedHit(
                    rank=rank,
                    hit=hit,
                    upload_id=uploads.get(hit.message.id, (None, None))[0],
                    upload=uploads.get(hit.message.id, (None, None))[1],
                )
                for rank, hit in enumerate(hits, start=given + 1)
            ],
        )
        if not searched.answer.has_more:
            return
        given, after = given + len(hits), hits[-1].place


def uploads_of(
    pool: ConnectionPool[Connection[Any]], workspace_id: UUID, message_ids: Sequence[int]
) -> dict[int, tuple[UUID | None, str | None]]:
    with pool.connection() as connection:
        rows = connection.execute(UPLOADS, (workspace_id, list(message_ids))).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}
