"""The hits of a search, one page after the other, with what brought each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.commands.perform_search import Searched
from application.context import Context
from application.ports.search import Hit, SearchRequest
from application.searches import MAX_BULK

HITS_A_PAGE = MAX_BULK
ALL = "all"  # how a limit is given that is none
FACTS = """
SELECT m.message_id, m.upload_ids[1], u.filename, ARRAY(
    SELECT l.name FROM read.label AS l
    WHERE l.workspace_id = m.workspace_id AND l.label_id IN (
        SELECT t.label_id FROM read.labelled_message AS t
        WHERE t.workspace_id = m.workspace_id AND t.conversation_id = m.conversation_id
          AND t.message_key = m.message_key
        UNION ALL
        SELECT t.label_id FROM read.labelled_conversation AS t
        WHERE t.workspace_id = m.workspace_id AND t.conversation_id = m.conversation_id
    )
    ORDER BY l.sort_name, l.label_id
)
FROM read.message AS m
LEFT JOIN read.upload AS u ON u.workspace_id = m.workspace_id AND u.upload_id = m.upload_ids[1]
WHERE m.workspace_id = %s AND m.message_id = ANY(%s)
"""


class Facts(NamedTuple):
    """What is told of a hit beside the search, as of now."""

    upload_id: UUID | None  # None: withdrawn at this very moment
    upload: str | None  # the file's name
    labels: Sequence[str]  # of the message or its conversation: each once, by name


NO_FACTS = Facts(None, None, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedHit:
    rank: int  # in the whole result, from 1
    hit: Hit
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class HitsPage:
    searched: Searched
    hits: Sequence[ExportedHit]


def hit_pages(
    perform: Callable[[SearchRequest, Context], Searched],
    pool: ConnectionPool[Connection[Any]],
    request: SearchRequest,
    context: Context,
    limit: int | None,
) -> Iterator[HitsPage]:
    """
    Of one result, as it was when its first page was made. Each page is a search that is recorded
    before it is given. Blocks; the next page is looked for when it is asked for, and between two
    of them nothing is held but the place of the last hit.

    Args:
        limit: hits in all; None: whatever is found. By relevance that is what a search ranks, see
            infrastructure.search.ranking.DEPTHS; by time, and where there are only filters,
            all that matches.

    Raises:
        EmptyQueryError, QueryRefusedError: before the first page.
        SearchTookTooLongError
    """
    given, after = 0, None
    while limit is None or given < limit:
        page = HITS_A_PAGE if limit is None else min(HITS_A_PAGE, limit - given)
        asked = replace(request, limit=page, after=after, context=0, is_bulk=True)
        searched = perform(asked, context)
        hits = searched.answer.hits
        facts = facts_of(pool, request.workspace_id, [hit.message.id for hit in hits])
        yield HitsPage(
            searched=searched,
            hits=[
                ExportedHit(rank=rank, hit=hit, facts=facts.get(hit.message.id, NO_FACTS))
                for rank, hit in enumerate(hits, start=given + 1)
            ],
        )
        if not searched.answer.has_more:
            return
        given, after = given + len(hits), hits[-1].place


def facts_of(
    pool: ConnectionPool[Connection[Any]], workspace_id: UUID, message_ids: Sequence[int]
) -> dict[int, Facts]:
    if not message_ids:
        return {}
    with pool.connection() as connection:
        rows = connection.execute(FACTS, (workspace_id, list(message_ids))).fetchall()
    return {row[0]: Facts(*row[1:]) for row in rows}
