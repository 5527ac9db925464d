"""A saved search: what somebody wants to search for again, under a name. Theirs alone."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, Creation
from domain.search import SearchMode

MAX_NAME = 100  # characters
MOST_SAVED = 200  # of one person in one workspace


class SavedSearchNameError(ValueError):
    """A saved search's name is 1 to 100 printable characters."""


class SavedSearchDeletedError(Exception):
    """It is there no longer."""


class TooManySavedSearchesError(Exception):
    """Somebody keeps as many in this workspace as they may."""


class SavedSearch(Aggregate):
    """
    Each has one of its owner's `MOST_SAVED` slots in the workspace, and leaves it when it is
    deleted. Its id is that of the slot and of how many had it before: so the store itself refuses
    the second of two that take the same slot at once, and nobody ever keeps more. (Those that were
    saved before there were slots have none, and do not count.)
    """

    TOPIC = "saved_search"

    class Saved(Creation):
        TOPIC = "saved_search.saved"
        workspace_id: str
        owner_id: str
        name: str
        query: str  # in the query language; `today` in it is the day on which it is run
        mode: str
        filters: dict[str, Any]  # beside those that the query names
        sort: str
        time_zone: str  # in which the query's days begin and end
        personal: ClassVar[dict[str, str]] = {
            "name": "owner_id",
            "query": "owner_id",
            "filters": "owner_id",
        }

    class Renamed(Aggregate.Event):
        TOPIC = "saved_search.renamed"
        owner_id: str
        name: str
        personal: ClassVar[dict[str, str]] = {"name": "owner_id"}

    class Deleted(Aggregate.Event):
        TOPIC = "saved_search.deleted"

    @staticmethod
    def create_id(workspace_id: UUID, owner_id: UUID, slot: int, before: int) -> UUID:
        """
        Args:
            slot: from 0 to below `MOST_SAVED`.
            before: how many were deleted that had it.
        """
        return uuid5(workspace_id, f"saved_search/{owner_id}/{slot}/{before}")

    @classmethod
    def save(
        cls,
        *,
        id: UUID,
        workspace_id: UUID,
        owner_id: UUID,
        name: str,
        query: str,
        mode: SearchMode,
        filters: dict[str, Any],
        sort: str,
        time_zone: str,
    ) -> SavedSearch:
        """
        Raises:
            SavedSearchNameError
        """
        return cls._create(
            cls.Saved,
            id=id,
            workspace_id=str(workspace_id),
            owner_id=str(owner_id),
            name=clean_name(name),
            query=query,
            mode=mode,
            filters=filters,
            sort=sort,
            time_zone=time_zone,
        )

    @event(Saved)
    def __init__(
        self,
        *,
        workspace_id: str,
        owner_id: str,
        name: str,
        query: str,
        mode: str,
        filters: dict[str, Any],
        sort: str,
        time_zone: str,
    ) -> None:
        self.workspace_id = UUID(workspace_id)
        self.owner_id = UUID(owner_id)
        self.name = name
        self.query = query
        self.mode = mode
        self.filters = filters
        self.sort = sort
        self.time_zone = time_zone
        self.is_deleted = False

    def rename(self, name: str) -> None:
        """
        The same name again is no event.

        Raises:
            SavedSearchNameError, SavedSearchDeletedError
        """
        self._require_kept()
        name = clean_name(name)
        if name != self.name:
            self.trigger_event(self.Renamed, owner_id=str(self.owner_id), name=name)

    def delete(self) -> None:
        """
        Raises:
            SavedSearchDeletedError
        """
        self._require_kept()
        self.trigger_event(self.Deleted)

    @event(Renamed)
    def _apply_renamed(self, *, owner_id: str, name: str) -> None:
        del owner_id
        self.name = name

    @event(Deleted)
    def _apply_deleted(self) -> None:
        self.is_deleted = True

    def _require_kept(self) -> None:
        if self.is_deleted:
            raise SavedSearchDeletedError("it was deleted")


class ToldHits(Aggregate):
    """New hits of a saved search that its owner is told of: a read, too. One stream a telling."""

    TOPIC = "told_hits"

    class Told(Creation):
        TOPIC = "saved_search.hits_told"
        saved_search_id: str
        hits: list[int]  # message ids, in the order in which they became searchable

    @classmethod
    def tell(cls, *, id: UUID, saved_search_id: UUID, hits: list[int]) -> ToldHits:
        return cls._create(cls.Told, id=id, saved_search_id=str(saved_search_id), hits=hits)

    @event(Told)
    def __init__(self, *, saved_search_id: str, hits: list[int]) -> None:
        self.saved_search_id = UUID(saved_search_id)
        self.hits = hits


def clean_name(name: str) -> str:
    name = name.strip()
    if not (0 < len(name) <= MAX_NAME and name.isprintable()):
        raise SavedSearchNameError(
            f"a saved search's name is 1 to {MAX_NAME} printable characters, not {name[:120]!r}"
        )
    return name
