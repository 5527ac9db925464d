"""Searches as the log has them, in tests that want one and do not care which."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from application.context import LOCAL_OWNER
from domain.saved_search import SavedSearch
from domain.search import Search


def some_search(**changes: Any) -> Search:
    """Not recorded yet."""
    facts: dict[str, Any] = {
        "searcher_id": str(LOCAL_OWNER),
        "query": "where is the key",
        "mode": "words",
        "filters": {},
        "model": None,
        "position": 0,
        "hits": [],
        "is_partial": False,
        "milliseconds": 1.5,
        "sort": "relevance",
        "time_zone": "UTC",
        "limit": 10,
        "after": None,
        "alone": None,
        "like": None,
        "messages_position": 0,
        "vectors_position": 0,
        "engine": "none",
        "has_words_in_memory": False,
        "saved_search_id": None,
    }
    return Search.perform(id=uuid4(), **facts | changes)


def some_saved_search(workspace_id: UUID, **changes: Any) -> SavedSearch:
    """Not recorded yet."""
    facts: dict[str, Any] = {
        "owner_id": LOCAL_OWNER,
        "name": "Keys",
        "query": "where is the key",
        "mode": "words",
        "filters": {},
        "sort": "relevance",
        "time_zone": "UTC",
    }
    return SavedSearch.save(id=uuid4(), workspace_id=workspace_id, **facts | changes)
