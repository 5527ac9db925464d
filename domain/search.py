"""A search: a read that leaves a fact behind."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, Creation

SearchMode = Literal["hybrid", "meaning", "words"]


class Search(Aggregate):
    """One stream a request. The answer leaves only after this is durable."""

    TOPIC = "search"

    class Performed(Creation):
        TOPIC = "search.performed"
        searcher_id: str
        query: str
        mode: str
        filters: dict[str, Any]
        model: str | None  # EmbeddingModel.id; None where only words were searched
        position: int  # the log position that the answer reflects
        hits: list[int]  # message ids, best first
        is_partial: bool  # not every message was indexed yet
        milliseconds: float
        personal: ClassVar[dict[str, str]] = {
            "query": "searcher_id",
            "filters": "searcher_id",
        }

    @classmethod
    def perform(cls, *, id: UUID, **facts: Any) -> Search:
        return cls._create(cls.Performed, id=id, **facts)

    @event(Performed)
    def __init__(
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
    ) -> None:
        del filters, model, position, is_partial, milliseconds
        self.searcher_id = searcher_id
        self.query = query
        self.mode = mode
        self.hits = hits
