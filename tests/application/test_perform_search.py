"""A search: recorded as soon as its hits are known, answered only when that is durable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from application.archive import Archive
from application.commands.perform_search import PerformSearchHandler
from application.ports.search import (
    Coverage,
    Found,
    OnFound,
    SearchAnswer,
    SearchRequest,
    SearchTookTooLongError,
)
from tests.support.archive import Ledger
from tests.support.eventually import eventually
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

REQUEST = SearchRequest(workspace_id=UUID(int=1), query="rain")
FOUND = Found(message_ids=[7, 3], model="a-model", position=12, is_partial=True)
ANSWER = SearchAnswer(
    hits=[],
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

    def search(self, request: SearchRequest, on_found: OnFound) -> SearchAnswer:
        on_found(FOUND)
        self._look_up()
        return ANSWER


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
