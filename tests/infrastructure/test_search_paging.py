"""Pages of a result: together they are the whole of it, whatever happens between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from application.ports.search import Place
from domain.upload import Upload
from infrastructure.search import selecting
from tests.support.archive import Ledger
from tests.support.chats import NOON, message
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

WORDS = ["boat", "rain", "harbour", "sun", "lunch", "plumber", "train", "ticket"]
MODES = ["hybrid", "meaning", "words"]
SORTS = ["relevance", "newest", "oldest"]


def told(count: int, first: int = 0) -> list[Any]:
    random = Random(first)
    return [
        message(
            number,
            " ".join(random.choices(WORDS, k=3)) + f" x{number}",
            sent_at=NOON + timedelta(minutes=random.randrange(50)),
        )
        for number in range(first, first + count)
    ]


@pytest.fixture(params=["postgresql", "memory"])
def site(own_ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[SearchSite]:
    site = SearchSite(own_ledger, is_in_memory=request.param == "memory")
    yield site
    site.close()


def ids(hits: Any) -> list[int]:
    return [hit.message.id for hit in hits]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sort", SORTS)
def test_pages_do_not_change_while_messages_arrive(
    site: SearchSite, mode: Any, sort: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the pages go on below those that are looked for first."""
    monkeypatch.setattr(selecting, "DEPTHS", (20, 200))
    site.tell(*told(100))
    options = {"mode": mode, "sort": sort, "limit": 12}
    expected = [ids(page.hits) for page in site.pages("boat harbour", **options)]
    flat = [id_ for page in expected for id_ in page]
    assert len(flat) == len(set(flat)) > 40
    first, last = site.search("boat harbour", **options), None
    seen = [ids(first.hits)]
    number = 1_000
    while first.has_more:
        # What arrives would be the best, the newest and the oldest.
        site.tell(
            message(number, f"boat harbour {number}"),
            message(number + 1, f"boat harbour {number}", sent_at=NOON - timedelta(days=9)),
            message(number + 2, f"boat harbour {number}", sent_at=NOON + timedelta(days=9)),
        )
        number += 3
        last = first.hits[-1].place
        first = site.search("boat harbour", **options, after=last)
        seen.append(ids(first.hits))
    assert seen == expected


@pytest.mark.parametrize("mode", ["hybrid", "words"])
def test_all_that_has_the_words_is_on_some_page(site: SearchSite, mode: Any) -> None:
    messages = told(300)
    site.tell(*messages)
    expected = {m.text for m in messages if {"boat", "rain"} <= set(m.text.split())}
    hits = site.whole("boat rain", mode=mode, limit=100)
    assert {hit.message.text for hit in hits} >= expected


def test_a_page_goes_on_where_a_hit_stood_that_is_withdrawn(site: SearchSite) -> None:
    site.tell(*told(30))
    withdrawn = site.tell(message(100, "boat harbour boat harbour"))
    first = site.search("boat harbour", limit=1)
    assert first.hits[0].message.text == "boat harbour boat harbour"
    rest = ids(site.whole("boat harbour", limit=50))[1:]
    upload = site.ledger.archive.load(Upload, withdrawn)
    upload.withdraw()
    site.ledger.record(upload)
    site.advance()
    after = first.hits[0].place
    # What it lent to its neighbours is gone with it, so that some may have changed places.
    assert set(ids(site.search("boat harbour", limit=50, after=after).hits)) <= set(rest)
    newest = site.search("boat harbour", sort="newest", limit=50).hits
    before = site.search("boat harbour", sort="newest", limit=50, after=newest[0].place).hits
    assert ids(before) == ids(newest)[1:]


def test_a_place_that_no_page_named_breaks_nothing(site: SearchSite) -> None:
    site.tell(*told(10))
    for place in (
        Place(0, 0, 0, 0.0, 0),
        Place(2**40, 2**40, 1, -5.0, 2**62),
        Place(5, 5, 1, 2.0**52, 3),
    ):
        for sort in ("relevance", "newest"):
            answer = site.search("boat", sort=sort, after=place)
            assert len(answer.hits) <= 10


@pytest.mark.parametrize("mode", MODES)
def test_by_time_is_the_same_result_in_another_order(site: SearchSite, mode: Any) -> None:
    site.tell(*told(120))
    best = site.whole("boat", mode=mode, limit=50)
    newest = site.whole("boat", mode=mode, sort="newest", limit=50)
    oldest = site.whole("boat", mode=mode, sort="oldest", limit=50)
    assert set(ids(best)) == set(ids(newest))
    assert ids(oldest) == ids(newest)[::-1]
    times = [(hit.message.sent_at, hit.message.id) for hit in newest]
    assert times == sorted(times, reverse=True)
