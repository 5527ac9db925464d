"""The saved searches of one person in one workspace. Nobody is shown another's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.paging import Listing, Slice, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearchRow:
    saved_search_id: UUID
    workspace_id: UUID
    owner_id: UUID
    name: str
    query: str
    mode: str  # hybrid, meaning, words
    filters: dict[str, Any]  # beside those that the query names
    sort: str  # relevance, newest, oldest
    time_zone: str
    saved_at: datetime
    saved_position: int  # of the event that saved it
    position: int  # of the event that last changed the row


OWN = Listing(
    row=SavedSearchRow,
    source="read.saved_search AS r",
    parent=("r.workspace_id", "r.owner_id"),
    types=("uuid", "uuid"),
    order=("r.saved_position",),
    is_descending=True,
)
WITH_ID = " AND r.saved_search_id = %s"
CALLED = " AND (r.name = %s OR r.saved_search_id::text = %s)"
ENOUGH = 10  # of one name: then an id is needed


def saved_searches_page(
    connection: Connection[Any], workspace_id: UUID, *, owner_id: UUID, window: Window
) -> Slice[SavedSearchRow]:
    """The newest first, by `saved_position`."""
    return OWN.page(connection, (workspace_id, owner_id), window)


def saved_search(
    connection: Connection[Any], workspace_id: UUID, owner_id: UUID, saved_search_id: UUID
) -> SavedSearchRow | None:
    window = Window(limit=1)
    found = OWN.page(connection, (workspace_id, owner_id), window, WITH_ID, [saved_search_id])
    return found.rows[0] if found else None


def saved_searches_called(
    connection: Connection[Any], workspace_id: UUID, owner_id: UUID, text: str
) -> list[SavedSearchRow]:
    """Those of exactly this name, or with this id; some of them, if there are many."""
    id_ = text.rpartition(":")[2].lower()
    window = Window(limit=ENOUGH)
    return OWN.page(connection, (workspace_id, owner_id), window, CALLED, [text, id_]).rows
