"""Words in quotes: as they are, or, where nobody says them so, not with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from application.ports.search import SearchAnswer
from application.searching.query import MOST_TERMS, Term, parse
from infrastructure.search import demanding
from infrastructure.words import inverted_index
from tests.support.archive import Ledger
from tests.support.chats import message, room
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

TOLD = (
    "life jackets for the boat",
    "jackets are for life",
    "the boat has a life of its own",
    "lunch at noon",
)
HARD = ("harbour harbour", "hare", "harp")
WORDS_LOOKED_FOR = "its words are looked for, in any order"


@pytest.fixture(params=["postgresql", "memory"])
def site(own_ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[SearchSite]:
    site = SearchSite(own_ledger, is_in_memory=request.param == "memory")
    site.tell(room("Other", "Other"), *(message(n, text) for n, text in enumerate(TOLD)))
    yield site
    site.close()


def texts(answer: SearchAnswer) -> set[str]:
    return {hit.message.text for hit in answer.hits}


@pytest.mark.parametrize("mode", ["words", "hybrid"])
def test_what_somebody_says_so_is_all_that_is_found(site: SearchSite, mode: Any) -> None:
    answer = site.search('"life jackets"', mode=mode)
    assert texts(answer) == {TOLD[0]}
    assert answer.notes == ()


@pytest.mark.parametrize("mode", ["words", "hybrid"])
def test_where_nobody_does_the_words_are_enough_and_it_is_said(site: SearchSite, mode: Any) -> None:
    answer = site.search('"jackets life" boat', mode=mode)
    assert texts(answer) >= {TOLD[0], TOLD[1]}
    assert answer.notes == (f'no message has "jackets life": {WORDS_LOOKED_FOR}',)


def test_one_of_several_is_enough_to_be_said_by_nobody(site: SearchSite) -> None:
    """What somebody says stays as it is."""
    answer = site.search('"life jackets" "boat for jackets"', mode="words")
    assert texts(answer) == {TOLD[0]}
    assert answer.notes == (f'no message has "boat for jackets": {WORDS_LOOKED_FOR}',)
    either = site.search('"jackets life" or "noon at lunch"', mode="words")
    assert texts(either) >= {TOLD[1], TOLD[3]}
    assert either.notes == (
        f'no message has "jackets life" or "noon at lunch": {WORDS_LOOKED_FOR}',
    )


@pytest.mark.parametrize(
    "query", ['"life jackets" "at noon"', '"life jackets" from:nobody', '"life jackets" -boat']
)
def test_what_is_said_and_not_found_here_stays_unfound(site: SearchSite, query: str) -> None:
    answer = site.search(query)
    assert answer.hits == []
    assert not any(WORDS_LOOKED_FOR in note for note in answer.notes)


@pytest.mark.parametrize("sort", ["relevance", "newest"])
def test_pages_and_facets_go_on_with_the_words(site: SearchSite, sort: Any) -> None:
    site.tell(*(message(10 + n, f"jackets for {n} lives on the boat") for n in range(7)))
    query, options = '"boat the jackets"', {"mode": "words", "sort": sort}
    whole = site.search(query, limit=100, with_facets=True, **options)
    assert len(whole.hits) > 5
    assert whole.facets is not None
    assert whole.facets.total >= len(whole.hits)
    pages = list(site.pages(query, limit=3, **options))
    found = [hit.message.id for page in pages for hit in page.hits]
    assert found == [hit.message.id for hit in whole.hits]
    assert all(page.notes == whole.notes for page in pages)


@pytest.mark.parametrize("mode", ["words", "hybrid"])
def test_a_beginning_leaves_out_all_that_begin_so(
    site: SearchSite, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also words that are too many to be looked for by it."""
    site.tell(*(message(20 + n, f"boat {word}") for n, word in enumerate(HARD)))
    monkeypatch.setattr(inverted_index, "MOST_BEGUN", 1)
    found = texts(site.search("boat -har*", mode=mode))
    assert found >= {TOLD[0], TOLD[2]}
    assert not found & {f"boat {word}" for word in HARD}


def test_many_phrases_are_left_to_postgresql(site: SearchSite, monkeypatch: Any) -> None:
    monkeypatch.setattr(demanding, "MOST_PHRASES", 1)
    assert texts(site.search('"life jackets" "the boat"', mode="words")) == {TOLD[0]}


def test_very_many_words_in_quotes_are_asked_for_up_to_a_limit() -> None:
    query = parse('"' + "a " * 900 + '"')
    assert len(query.in_words(query.required).terms) == MOST_TERMS


def test_behind_the_last_hit_of_a_phrase_there_is_nothing(site: SearchSite) -> None:
    first = site.search('"life jackets"')
    answer = site.search('"life jackets"', after=first.hits[-1].place)
    assert (answer.hits, answer.notes) == ([], ())


def test_a_query_says_its_phrases_in_words() -> None:
    query = parse('"a b" c "d e" or "f"')
    first, other = query.required
    assert query.in_words([]) == query
    assert query.in_words([first]).groups == (
        (Term("a"),), (Term("b"),), (Term("c"),), other,
    )  # fmt: skip
    assert query.in_words([first, other]).required == ()
    assert query.in_words([other]).groups[-1] == (Term("d"), Term("e"), Term("f"))
    assert query.in_words([first, other]).text == query.text
