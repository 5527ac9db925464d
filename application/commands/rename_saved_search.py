"""Give a saved search another name."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.saved_searches import load_saved_search
from application.uploads import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameSavedSearch:
    saved_search_id: UUID
    name: str


class RenameSavedSearchHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: RenameSavedSearch, context: Context) -> Accepted:
        """
        Raises:
            SavedSearchNotFoundError, SavedSearchNameError, CommandIdReusedError
        """

        def decide() -> Decision:
            saved = load_saved_search(self._archive, context, command.saved_search_id)
            saved.rename(command.name)
            return [saved], {}

        about = {"saved_search_id": str(command.saved_search_id)}
        return settle(self._archive, context, "RenameSavedSearch", decide, about)
