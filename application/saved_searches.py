"""What the commands about saved searches have in common."""

from __future__ import annotations

from uuid import UUID

from application.archive import Archive, NotFoundError
from application.context import Context
from domain.saved_search import SavedSearch


class SavedSearchNotFoundError(NotFoundError):
    """There is none with this id, or it is somebody else's, of another workspace, or deleted."""


def load_saved_search(archive: Archive, context: Context, id: UUID) -> SavedSearch:
    """
    Raises:
        SavedSearchNotFoundError: if the actor has none with this id in this workspace.
    """
    found = archive.find(SavedSearch, id)
    is_own = (
        found is not None
        and found.owner_id == context.actor_id
        and found.workspace_id == context.workspace_id
    )
    if found is None or not is_own or found.is_deleted:
        raise SavedSearchNotFoundError("you have no such saved search")
    return found
