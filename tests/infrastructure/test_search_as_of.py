"""A result as of an earlier moment is what it was then, whatever has arrived since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from application.ports.search import Found, Moment, SearchRequest
from application.searching.query import parse
from tests.support.archive import Ledger
from tests.support.chats import message, room
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


@pytest.fixture(params=["postgresql", "memory"])
def site(own_ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[SearchSite]:
    site = SearchSite(own_ledger, is_in_memory=request.param == "memory")
    yield site
    site.close()


def ask(site: SearchSite, query: str, **options: Any) -> tuple[list[int], Found, Any]:
    """The hits, what the log would be told, and the answer."""
    found: list[Found] = []
    request = SearchRequest(workspace_id=site.ledger.workspace_id, query=query, **options)
    answer = site.searcher.search(request, parse(query), found.append)
    return [hit.message.id for hit in answer.hits], found[0], answer


@pytest.mark.parametrize("mode", ["hybrid", "meaning", "words"])
@pytest.mark.parametrize("sort", ["relevance", "newest"])
def test_what_arrived_since_is_not_in_it(site: SearchSite, mode: Any, sort: Any) -> None:
    """Neither messages, nor vectors that were made later."""
    words = ["boat", "rain", "harbour", "sun"]
    site.tell(room(), *(message(n, f"{words[n % 4]} {words[n % 3]} x{n}") for n in range(24)))
    waiting = site.tell(message(30, "harbour bell"), has_vectors=False)
    options = {"mode": mode, "sort": sort, "limit": 6}
    then, found, answer = ask(site, "harbour boat", **options)
    assert isinstance(found.moment, Moment)
    assert found.engine == answer.engine
    assert found.has_words_in_memory is (site.words is not None)

    site.embed(waiting)
    site.tell(*(message(n, f"harbour boat y{n}") for n in range(100, 110)))
    again, replayed, _ = ask(site, "harbour boat", **options, as_of=found.moment)
    now, renewed, _ = ask(site, "harbour boat", **options)
    assert again == then
    assert replayed.moment == found.moment
    assert now != then
    assert renewed.moment > found.moment


def test_a_further_page_goes_on_in_the_result_of_then_or_of_now(site: SearchSite) -> None:
    site.tell(room(), *(message(n, f"rain {n}") for n in range(6)))
    options = {"mode": "words", "sort": "oldest", "limit": 2}
    first, _, answer = ask(site, "rain", **options)
    behind = answer.hits[-1].place
    second, _, _ = ask(site, "rain", **options, after=behind)
    site.tell(message(1, "rain between", key="new", sent_at=message(1).sent_at))
    site.tell(message(7, "rain 7"))
    assert ask(site, "rain", **options, after=behind)[0] == second
    as_of = Moment(behind.messages_position, behind.vectors_position)
    assert ask(site, "rain", **options, after=behind, as_of=as_of)[0] == second
    texts = [
        hit.message.text
        for hit in ask(site, "rain", **options, after=behind, is_renewed=True)[2].hits
    ]
    assert texts == ["rain between", "rain 2"]
    assert len(first) == 2
