"""Save a search, to run it again and to be told of what it will find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.ports.search import SearchRequest, Sort
from application.saved_searches import free_id
from application.searches import QueryRefusedError, understood
from application.searching.filters import NO_FILTERS, Filters
from application.uploads import settle
from domain.saved_search import SavedSearch
from domain.search import SearchMode


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSearch:
    workspace_id: UUID
    name: str
    query: str
    mode: SearchMode = "hybrid"
    filters: Filters = NO_FILTERS
    sort: Sort = "relevance"
    time_zone: str = "UTC"


class SaveSearchHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: SaveSearch, context: Context) -> Accepted:
        """
        Two may have the same name.

        Returns:
            The result has `saved_search_id`.

        Raises:
            SavedSearchNameError
            TooManySavedSearchesError: the actor keeps as many in this workspace as they may.
            EmptyQueryError, QueryRefusedError: it could not be run.
            CommandIdReusedError
        """
        if command.sort not in get_args(Sort):
            raise QueryRefusedError(f"there is no order {command.sort!r}")
        understood(
            SearchRequest(
                workspace_id=command.workspace_id,
                query=command.query,
                filters=command.filters,
                mode=command.mode,
                time_zone=command.time_zone,
            )
        )
        filters = command.filters.as_dict()

        def decide() -> Decision:
            saved = SavedSearch.save(
                id=free_id(self._archive, command.workspace_id, context.actor_id),
                workspace_id=command.workspace_id,
                owner_id=context.actor_id,
                name=command.name,
                query=command.query,
                mode=command.mode,
                filters=filters,
                sort=command.sort,
                time_zone=command.time_zone,
            )
            return [saved], {"saved_search_id": str(saved.id)}

        return settle(self._archive, context, "SaveSearch", decide)
