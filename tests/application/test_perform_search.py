"""A search: recorded as soon as its hits are known, answered only when that is durable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from application.archive import Archive
from application.commands.perform_search import PerformSearchHandler
from application.ports.search import (
    Coverage,
    EmptyQueryError,
    Found,
    OnFound,
    Place,
    SearchAnswer,
    SearchRequest,
    SearchTookTooLongError,
)
from application.searches import QueryRefusedError
from application.searching.filters import Choice, Filters
from application.searching.query import Query
from tests.support.archive import Ledger
from tests.support.eventually import eventually
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

REQUEST = SearchRequest(workspace_id=UUID(int=1), query="rain")
FOUND = Found(message_ids=[7, 3], model="a-model", position=12, is_partial=True)
ANSWER = SearchAnswer(
    hits=[],
    has_more=False,
    coverage=Coverage(indexed=1, total=2),
    position=12,
    is_stale=False,
    model="a-model",
    engine="none",
)


class FoundBy:
    """Finds what it was told; then looks up what is shown of it, as it was told."""

    def __init__(self, look_up: Callable[[], None] = lambda: None) -> None:
        self._look_up = look_up

    def search(self, request: SearchRequest, query: Query, on_found: OnFound) -> SearchAnswer:
        on_found(FOUND)
        self._look_up()
        return ANSWER


class Asked(FoundBy):
    """Remembers what it was asked for."""

    query: Query

    def search(self, request: SearchRequest, query: Query, on_found: OnFound) -> SearchAnswer:
        self.query = query
        return super().search(request, query, on_found)


def performed(archive: Archive, position: int) -> Any:
    [notification] = archive.notification_log.select(position, limit=1)
    return archive.mapper.to_domain_event(notification)


def test_the_event_says_what_was_found(own_ledger: Ledger) -> None:
    searched = PerformSearchHandler(own_ledger.archive, FoundBy())(REQUEST, own_ledger.context())
    assert searched.answer is ANSWER
    event = performed(own_ledger.archive, searched.position)
    assert (event.query, list(event.hits)) == ("rain", [7, 3])
    assert (event.model, event.position, event.is_partial) == ("a-model", 12, True)
    assert event.milliseconds == pytest.approx(searched.milliseconds, abs=0.001)


def test_it_is_recorded_while_what_is_shown_is_looked_up(own_ledger: Ledger) -> None:
    before = own_ledger.archive.event_log.head()

    def until_recorded() -> None:
        eventually(lambda: own_ledger.archive.event_log.head() == before + 1)

    handler = PerformSearchHandler(own_ledger.archive, FoundBy(until_recorded))
    assert handler(REQUEST, own_ledger.context()).position == before + 1


def test_hits_that_were_found_are_recorded_even_if_the_answer_is_given_up(
    own_ledger: Ledger,
) -> None:
    """Somebody has learnt which they are, as far as the log can tell."""

    def give_up() -> None:
        raise SearchTookTooLongError("a step took longer than 10 s")

    before = own_ledger.archive.event_log.head()
    handler = PerformSearchHandler(own_ledger.archive, FoundBy(give_up))
    with pytest.raises(SearchTookTooLongError):
        handler(REQUEST, own_ledger.context())
    eventually(lambda: own_ledger.archive.event_log.head() == before + 1)


def test_no_answer_leaves_before_its_event_is_durable(
    own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullError(Exception):
        pass

    def fail(*_arguments: Any) -> None:
        raise FullError("the disk is full")

    monkeypatch.setattr(own_ledger.archive.event_log.appender, "_write", fail)  # type: ignore[attr-defined]
    with pytest.raises(FullError):
        PerformSearchHandler(own_ledger.archive, FoundBy())(REQUEST, own_ledger.context())


def test_filters_of_the_query_and_beside_it_are_one_and_recorded(own_ledger: Ledger) -> None:
    asked = Asked()
    request = replace(
        REQUEST,
        query="rain from:Ada -kind:system after:2024-02",
        filters=Filters(authors=Choice(("Bob",)), has=("link",)),
    )
    searched = PerformSearchHandler(own_ledger.archive, asked)(request, own_ledger.context())
    march = datetime(2024, 3, 1, tzinfo=UTC)
    assert asked.query.text == "rain"
    assert asked.query.filters == Filters(
        authors=Choice(("Ada", "Bob")),
        message_kinds=Choice((), ("system",)),
        has=("link",),
        sent_from=march,
    )
    event = performed(own_ledger.archive, searched.position)
    assert event.query == request.query
    assert event.filters == {
        "authors": ["Ada", "Bob"],
        "not_message_kinds": ["system"],
        "has": ["link"],
        "sent_from": "2024-03-01T00:00:00+00:00",
    }
    assert Filters.from_dict(event.filters) == asked.query.filters


@pytest.mark.parametrize(
    ("query", "mode", "error", "said"),
    [
        ("", "hybrid", EmptyQueryError, "is empty"),
        ("  ", "words", EmptyQueryError, "is empty"),
        ('""', "hybrid", EmptyQueryError, "is empty"),
        ("form:ada", "hybrid", QueryRefusedError, "did you mean from:"),
        ("from:ada", "meaning", QueryRefusedError, "there are only filters"),
        (" ".join(f"from:{n}" for n in range(21)), "words", QueryRefusedError, "at most 20"),
        (f"from:{'x' * 201}", "words", QueryRefusedError, "at most 200 characters"),
        ("aa* bb* cc* dd* ee* ff*", "words", QueryRefusedError, "at most 5 beginnings"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_recorded(
    own_ledger: Ledger, query: str, mode: Any, error: type[Exception], said: str
) -> None:
    before = own_ledger.archive.event_log.head()
    handler = PerformSearchHandler(own_ledger.archive, FoundBy())
    with pytest.raises(error, match=said):
        handler(replace(REQUEST, query=query, mode=mode), own_ledger.context())
    assert own_ledger.archive.event_log.head() == before


@pytest.mark.parametrize(
    "place",
    [
        Place(-1, 0, 0, 0.0, 1),
        Place(0, 2**60, 0, 0.0, 1),
        Place(0, 0, 2, 0.0, 1),
        Place(0, 0, -1, 0.0, 1),
        Place(0, 0, 0, float("nan"), 1),
        Place(0, 0, 0, float("inf"), 1),
        Place(0, 0, 0, 0.0, 2**63),
    ],
)
def test_a_cursor_that_no_answer_gave_is_refused(own_ledger: Ledger, place: Place) -> None:
    handler = PerformSearchHandler(own_ledger.archive, FoundBy())
    with pytest.raises(QueryRefusedError, match="no cursor of a search"):
        handler(replace(REQUEST, after=place), own_ledger.context())


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
def test_a_name_that_cannot_be_stored_is_refused(own_ledger: Ledger, name: str) -> None:
    handler = PerformSearchHandler(own_ledger.archive, FoundBy())
    with pytest.raises(QueryRefusedError, match="cannot be stored"):
        handler(replace(REQUEST, filters=Filters(authors=Choice((name,)))), own_ledger.context())


def test_what_is_like_a_message_is_recorded_by_its_id(own_ledger: Ledger) -> None:
    handler = PerformSearchHandler(own_ledger.archive, FoundBy())
    for query, recorded in (("", "Message:7"), ("from:Ada", "Message:7 from:Ada")):
        request = replace(REQUEST, query=query, like=7)
        event = performed(own_ledger.archive, handler(request, own_ledger.context()).position)
        assert (event.query, event.mode) == (recorded, "meaning")
    for refused in (replace(REQUEST, like=7), replace(REQUEST, query="", like=7, mode="words")):
        with pytest.raises(QueryRefusedError):
            handler(refused, own_ledger.context())
