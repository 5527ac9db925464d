"""A search: a read that leaves a fact behind."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, Creation

SearchMode = Literal["hybrid", "meaning", "words"]
SINCE_VERSION_2 = (
    "sort",
    "time_zone",
    "limit",
    "after",
    "alone",
    "like",
    "messages_position",
    "vectors_position",
    "engine",
    "has_words_in_memory",
    "saved_search_id",
)


class Search(Aggregate):
    """One stream a request. The answer leaves only after this is durable."""

    TOPIC = "search"

    class Performed(Creation):
        TOPIC = "search.performed"
        class_version = 2  # 2: what else it takes to run it again
        searcher_id: str
        query: str
        mode: str
        filters: dict[str, Any]
        model: str | None  # EmbeddingModel.id; None where only words were searched
        position: int  # the log position that the answer reflects
        hits: list[int]  # message ids, best first
        is_partial: bool  # not every message was indexed yet
        milliseconds: float
        # None, all of them, in what was recorded before version 2; `after` is None on a first page.
        sort: str | None
        time_zone: str | None  # in which the query's days begin and end
        limit: int | None  # hits asked for
        after: list[Any] | None  # the place that the page begins behind: see ports.search.Place
        alone: list[Any] | None  # the place of the one hit that was asked for; else None
        like: int | None  # the message that others shall be like; else None
        messages_position: int | None  # what came later is not in the result
        vectors_position: int | None
        engine: str | None  # what compared vectors: faiss, pgvector or none
        has_words_in_memory: bool | None  # else PostgreSQL looked for the words
        saved_search_id: str | None  # None: it was written for the occasion
        personal: ClassVar[dict[str, str]] = {
            "query": "searcher_id",
            "filters": "searcher_id",
        }

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state |= dict.fromkeys(SINCE_VERSION_2)

    @classmethod
    def perform(cls, *, id: UUID, **facts: Any) -> Search:
        return cls._create(cls.Performed, id=id, **facts)

    @event(Performed)
    def __init__(  # noqa: PLR0913 - the fact's fields
        self,
        *,
        searcher_id: str,
        query: str,
        mode: str,
        filters: dict[str, Any],
        model: str | None,
        position: int,
        hits: list[int],
        is_partial: bool,
        milliseconds: float,
        sort: str | None,
        time_zone: str | None,
        limit: int | None,
        after: list[Any] | None,
        alone: list[Any] | None,
        like: int | None,
        messages_position: int | None,
        vectors_position: int | None,
        engine: str | None,
        has_words_in_memory: bool | None,
        saved_search_id: str | None,
    ) -> None:
        # One fact and no next decision.
        del filters, model, position, is_partial, milliseconds, sort, time_zone, limit, after
        del alone, like
        del messages_position, vectors_position, engine, has_words_in_memory, saved_search_id
        self.searcher_id = searcher_id
        self.query = query
        self.mode = mode
        self.hits = hits


class SearchReplay(Aggregate):
    """A search that was run again, as of then and as of now: a read, too. One stream a request."""

    TOPIC = "search_replay"

    class Replayed(Creation):
        TOPIC = "search.replayed"
        search_position: int  # of the search's event
        hits_then: int
        hits_as_of_then: list[int]  # message ids, best first
        hits_today: list[int]
        position: int  # the log position that today's answer reflects
        model: str | None
        notes: list[str]  # kinds of what could not be replayed exactly
        milliseconds: float

    @classmethod
    def replay(cls, *, id: UUID, **facts: Any) -> SearchReplay:
        return cls._create(cls.Replayed, id=id, **facts)

    @event(Replayed)
    def __init__(
        self,
        *,
        search_position: int,
        hits_then: int,
        hits_as_of_then: list[int],
        hits_today: list[int],
        position: int,
        model: str | None,
        notes: list[str],
        milliseconds: float,
    ) -> None:
        # One fact and no next decision.
        del hits_then, hits_as_of_then, hits_today, position, model, notes, milliseconds
        self.search_position = search_position
