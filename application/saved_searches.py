"""What the commands about saved searches have in common."""

from __future__ import annotations

import itertools
from uuid import UUID, uuid4

from application.archive import Archive, NotFoundError
from application.context import Context
from domain.saved_search import MOST_SAVED, SavedSearch, TooManySavedSearchesError


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


def free_id(archive: Archive, workspace_id: UUID, owner_id: UUID) -> UUID:
    """
    The id of the next one that this person saves. Whoever is quicker takes it: then ask again.

    Raises:
        TooManySavedSearchesError
    """
    first = uuid4().int % MOST_SAVED  # anywhere: few are taken, so the first is mostly free
    for slot in range(first, first + MOST_SAVED):
        id_ = id_in(archive, workspace_id, owner_id, slot % MOST_SAVED)
        if id_ is not None:
            return id_
    raise TooManySavedSearchesError(
        f"you keep {MOST_SAVED:,} saved searches in this workspace, which is the most: delete one "
        "that you do not need any more"
    )


def id_in(archive: Archive, workspace_id: UUID, owner_id: UUID, slot: int) -> UUID | None:
    """None: it is taken."""
    for before in itertools.count():
        id_ = SavedSearch.create_id(workspace_id, owner_id, slot, before)
        found = archive.find(SavedSearch, id_)
        if found is None:
            return id_
        if not found.is_deleted:
            return None
    raise AssertionError("unreachable")
