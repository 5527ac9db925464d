"""Near-identical hits are one, and nothing of what they stand for is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.ports.search import Hit, SearchRequest
from application.searches import understood
from application.searching.filters import Choice, Filters
from domain.upload import Upload
from infrastructure.search import selecting
from infrastructure.search.duplicates import StoodFor, duplicates_of
from projections.paging import Window
from tests.support.archive import Ledger
from tests.support.chats import NOON, message, room
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

MODES = ["hybrid", "meaning", "words"]
SHORT = ["boat yes", "Boat: yes!", "boat, yes, but", "BOAT yes 👍", "boat no", "> boat yes", "boat"]


@pytest.fixture(params=["postgresql", "memory"])
def site(own_ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[SearchSite]:
    site = SearchSite(own_ledger, is_in_memory=request.param == "memory")
    yield site
    site.close()


def tell_many(site: SearchSite) -> None:
    """Copies to the letter, near-identical ones, and notices without keys of their texts."""
    site.tell(
        room("Other", "Other"),
        *(message(n, text) for n, text in enumerate(SHORT * 2)),
        *(message(20 + n, f"Boat build {4000 + n} failed", author="CI") for n in range(5)),
        *(message(30 + n, f"boat dinner at {n}") for n in range(3)),
        *(message(40 + n, "Ada left the boat", author=None, kind="system") for n in range(3)),
        message(50, "boat yes!!", author="Bob", conversation="Other"),
    )


def opened(site: SearchSite, hits: list[Hit], size: int = 2, **options: Any) -> list[list[int]]:
    """All that each of them stands for besides itself, read in pages."""
    request = SearchRequest(
        workspace_id=site.ledger.workspace_id, query=options.pop("query", "boat"), **options
    )
    found: list[list[int]] = []
    for hit in hits:
        key = StoodFor.by(hit)
        ids: list[int] = []
        after = None
        while True:
            with site.ledger.pool.connection() as connection:
                window = Window(limit=size, after=after)
                page = duplicates_of(connection, [key], request=request, window=window)[key]
            ids += [row.message_id for row in page.rows]
            if not page.has_more:
                break
            after = (page.rows[-1].sent_at, page.rows[-1].message_id)
        found.append(ids)
    return found


@pytest.mark.parametrize("mode", MODES)
def test_every_message_of_the_result_is_a_hit_or_stood_for_by_one(
    site: SearchSite, mode: Any
) -> None:
    tell_many(site)
    hits = site.whole("boat", mode=mode, limit=3)
    others = opened(site, hits, mode=mode)
    assert [hit.duplicates for hit in hits] == [len(ids) for ids in others]
    reached = [id_ for ids in others for id_ in ids] + [hit.message.id for hit in hits]
    listed = site.whole("boat", mode=mode, sort="newest", limit=100)
    assert sorted(reached) == sorted(hit.message.id for hit in listed)
    facets = site.search("boat", mode=mode, with_facets=True).facets
    assert facets is not None
    assert facets.total == len(reached) == len(set(reached))
    assert all(hit.duplicates == 0 and not hit.stands_for for hit in listed)


@pytest.mark.parametrize("mode", MODES)
def test_what_says_the_same_is_one_hit_and_what_does_not_is_none(
    site: SearchSite, mode: Any
) -> None:
    tell_many(site)
    counts = {hit.message.text: hit.duplicates for hit in site.whole("boat", mode=mode)}
    yes = [text for text in counts if text.strip("> !👍").lower().replace(":", "") == "boat yes"]
    assert [counts.pop(text) for text in yes] == [2 * 4 + 1 - 1]
    [build] = [text for text in counts if "build" in text]
    assert counts.pop(build) == 4
    if mode != "meaning":  # it has no vector
        assert counts.pop("Ada left the boat") == 2
    alone = {f"boat dinner at {n}": 0 for n in range(3)}
    assert counts == alone | {"boat, yes, but": 1, "boat no": 1, "boat": 1}


def test_filters_and_exclusions_decide_what_a_hit_stands_for(site: SearchSite) -> None:
    tell_many(site)
    only_bob = {"filters": Filters(authors=Choice(("Bob",)))}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("boat -no from:Bob", {}),
        ("boat", only_bob),
        ('"boat yes" in:Other', {}),
    ]
    for query, options in asked:
        request = SearchRequest(workspace_id=site.ledger.workspace_id, query=query, **options)
        [hit] = site.searcher.search(request, understood(request)).hits
        assert (hit.message.text, hit.duplicates) == ("boat yes!!", 0)
        assert opened(site, [hit], query=query, **options) == [[]]


def test_pages_stay_as_they_were_while_copies_arrive(
    site: SearchSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selecting, "DEPTHS", (6, 200))
    tell_many(site)
    options: dict[str, Any] = {"mode": "words", "limit": 2}
    expected = site.whole("boat", **options)
    seen, page = [], site.search("boat", **options)
    number = 1_000
    while True:
        seen += page.hits
        site.tell(message(number, "boat yes?"), message(number + 1, "BOAT... yes"))
        number += 2
        if not page.has_more:
            break
        page = site.search("boat", **options, after=page.hits[-1].place)
    assert [(hit.message.id, hit.duplicates) for hit in seen] == [
        (hit.message.id, hit.duplicates) for hit in expected
    ]
    assert opened(site, seen) == opened(site, expected)


def test_one_hit_can_be_asked_for_alone_as_it_was(site: SearchSite) -> None:
    tell_many(site)
    hits = site.whole("boat", limit=2)
    site.tell(message(1_000, "boat yes!?!"), message(1_001, "boat YES"))
    for hit in hits:
        again = site.search("boat", alone=hit.place)
        assert [(one.message, one.stands_for, one.duplicates) for one in again.hits] == [
            (hit.message, hit.stands_for, hit.duplicates)
        ]
        assert not again.has_more
    assert site.search("boat", alone=hits[0].place._replace(message_id=7)).hits == []
    assert site.search("boat", alone=hits[0].place, sort="newest").hits == []


def test_what_is_withdrawn_is_no_longer_stood_for(site: SearchSite) -> None:
    site.tell(message(0, "boat yes"), message(1, "the boat: yes or no"))
    gone = site.tell(message(2, "Boat, yes", key="other", sent_at=NOON + timedelta(days=1)))
    best = site.search("boat yes").hits[0]
    assert best.duplicates == 1
    upload = site.ledger.archive.load(Upload, gone)
    upload.withdraw()
    site.ledger.record(upload)
    site.advance()
    [again] = [h for h in site.search("boat yes").hits if h.message.text == "boat yes"]
    assert again.duplicates == 0


def test_another_workspace_lends_no_duplicates(site: SearchSite, own_ledger: Ledger) -> None:
    tell_many(site)
    hit = max(site.whole("boat"), key=lambda hit: hit.duplicates)
    key = StoodFor.by(hit)
    request = SearchRequest(workspace_id=uuid4(), query="boat")
    with own_ledger.pool.connection() as connection:
        found = duplicates_of(connection, [key], request=request, window=Window(limit=9))
    assert found[key].rows == []
