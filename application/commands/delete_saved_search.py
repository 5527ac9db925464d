"""Delete a saved search. What it has found, and that it was there, stays in the log."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.saved_searches import load_saved_search
from application.uploads import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSavedSearch:
    saved_search_id: UUID


class DeleteSavedSearchHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: DeleteSavedSearch, context: Context) -> Accepted:
        """
        Raises:
            SavedSearchNotFoundError: also if another command has deleted it.
            CommandIdReusedError
        """

        def decide() -> Decision:
            saved = load_saved_search(self._archive, context, command.saved_search_id)
            saved.delete()
            return [saved], {}

        about = {"saved_search_id": str(command.saved_search_id)}
        return settle(self._archive, context, "DeleteSavedSearch", decide, about)
