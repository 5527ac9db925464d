"""What somebody has searched for. Nobody is told what others did: that is in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.paging import Listing, Slice, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRow:
    position: int  # of its event
    workspace_id: UUID
    searcher_id: UUID
    search_id: UUID
    searched_at: datetime
    query: str | None  # None: the searcher's key was destroyed
    mode: str  # hybrid, meaning, words
    filters: dict[str, Any] | None  # those of the query included; None: as of the query
    sort: str | None  # relevance, newest, oldest; None, as the next ones: not recorded then
    time_zone: str | None
    hit_limit: int | None
    is_first_page: bool
    hits: int
    is_partial: bool  # not every message was indexed yet
    milliseconds: float
    model: str | None  # None: only words were searched
    log_position: int  # that the answer reflected
    engine: str | None  # faiss, pgvector, none
    saved_search_id: UUID | None  # None: it was written for the occasion


OWN = Listing(
    row=SearchRow,
    source="read.search AS r",
    parent=("r.workspace_id", "r.searcher_id"),
    types=("uuid", "uuid"),
    order=("r.position",),
    is_descending=True,
)
FIRST_PAGES = " AND r.is_first_page"


def searches_page(
    connection: Connection[Any],
    workspace_id: UUID,
    *,
    searcher_id: UUID,
    window: Window,
) -> Slice[SearchRow]:
    """
    Those of one person, the newest first, by `position`. Further pages of a result are no
    searches of their own.
    """
    return OWN.page(connection, (workspace_id, searcher_id), window, FIRST_PAGES)
