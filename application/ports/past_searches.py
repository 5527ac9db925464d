"""Port: searches that were made, as the log has them, and what became of the messages since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from application.ports.search import Moment, Place, Sort
from application.searching.filters import Filters
from domain.search import SearchMode


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSearch:
    event_position: int
    searched_at: datetime
    query: str | None  # None: the searcher's key was destroyed
    filters: Filters  # those of the query included
    mode: SearchMode
    model: str | None
    position: int  # the log position that the answer reflected
    hits: Sequence[int]  # message ids, best first
    is_partial: bool
    milliseconds: float
    saved_search_id: UUID | None
    after: Place | None
    alone: Place | None
    like: int | None  # the message that others shall be like
    # None, all of them: recorded by an early version.
    sort: Sort | None
    time_zone: str | None
    limit: int | None
    moment: Moment | None
    engine: str | None
    has_words_in_memory: bool | None

    @property
    def is_whole(self) -> bool:
        """Whether the log has all that it takes to run it again."""
        return self.moment is not None


class Fate(NamedTuple):
    """What became of a message that is still there."""

    has_arrived: bool  # since
    is_edited: bool  # since: it had another text
    is_indexed: bool  # since: it had no vector


class PastSearches(Protocol):
    def find(self, workspace_id: UUID, searcher_id: UUID, position: int) -> PastSearch | None:
        """That of this person in this workspace, recorded at this position. Else None."""
        ...

    def fates(
        self,
        workspace_id: UUID,
        model: str | None,
        message_ids: Sequence[int],
        since: Moment,
    ) -> Mapping[int, Fate]:
        """Of those that are still there."""
        ...
