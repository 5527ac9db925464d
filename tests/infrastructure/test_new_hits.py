"""
Each message that a search finds is told once, when it becomes searchable: by its words when it
arrives, by its meaning when its vector does. Wherever somebody stops and goes on, nothing is missed
and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from application.ports.embedder import EmbeddingModel
from application.searching.filters import NO_FILTERS, Filters, both
from application.searching.query import parse
from domain.upload import Upload
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.search import new_hits
from infrastructure.search.new_hits import NewHit, NewHitsFinder, NewPlace
from tests.support.archive import Ledger
from tests.support.chats import message, room
from tests.support.fake_embedder import HashEmbedder
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


class Calibrated(HashEmbedder):
    """By its name, the model of which it is known how near is near enough."""

    @property
    def model(self) -> EmbeddingModel:
        return replace(super().model, name="all-MiniLM-L6-v2")


class Watching:
    """A site, and somebody who goes on from hit to hit."""

    def __init__(self, ledger: Ledger, embedder: HashEmbedder) -> None:
        self.site = SearchSite(ledger, embedder=embedder)
        self.finder = NewHitsFinder(ledger.pool, QueryEmbedder(embedder))

    def hits(
        self,
        query: str,
        mode: Any = "hybrid",
        after: NewPlace | None = None,
        filters: Filters = NO_FILTERS,
        limit: int = new_hits.PAGE,
    ) -> list[NewHit]:
        parsed = parse(query)
        parsed = replace(parsed, filters=both(parsed.filters, filters))
        watched = self.finder.watched(self.site.ledger.workspace_id, parsed, mode)
        place = after or NewPlace.behind(0)
        found: list[NewHit] = []
        while True:
            page = self.finder.page(watched, place, limit)
            assert page.place >= place
            found += page.hits
            place = page.place
            if not page.has_more:
                return found

    def told(self, query: str, mode: Any = "hybrid", **asked: Any) -> list[str]:
        return [hit.message.text for hit in self.hits(query, mode, **asked)]


@pytest.fixture
def watching(own_ledger: Ledger) -> Iterator[Watching]:
    made = Watching(own_ledger, Calibrated())
    yield made
    made.site.close()


@pytest.fixture(params=[1, 2_000])
def looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(new_hits, "LOOKED_AT", request.param)
    return int(request.param)


def test_words_are_told_in_the_order_in_which_they_arrived(watching: Watching) -> None:
    watching.site.tell(room(), message(5, "rain late"), message(0, "rain early"), message(1, "sun"))
    watching.site.tell(message(3, "rains again"), has_vectors=False)
    hits = watching.hits("rain", "words")
    assert [hit.message.text for hit in hits] == ["rain late", "rain early", "rains again"]
    assert [hit.place for hit in hits] == sorted({hit.place for hit in hits})
    assert all(hit.has_words and hit.probability is None for hit in hits)


def test_all_of_the_words_count_and_filters_are_exact(watching: Watching) -> None:
    watching.site.tell(
        room(),
        message(0, "rain and wind"),
        message(1, "rain"),
        message(2, "rain and wind", author="Bob", key="b"),
        message(3, "wind and rain https://example.org"),
        has_vectors=False,
    )
    assert watching.told("rain wind", "words") == [
        "rain and wind",
        "rain and wind",
        "wind and rain https://example.org",
    ]
    assert watching.told("rain wind from:Ada -has:link", "words") == ["rain and wind"]
    assert watching.told('"wind and rain"', "words") == ["wind and rain https://example.org"]
    assert watching.told("rain -wind", "words") == ["rain"]
    assert watching.told("from:Bob", "words") == ["rain and wind"]
    assert watching.told("rain", "words", filters=Filters(has=("link",))) == [
        "wind and rain https://example.org"
    ]
    assert watching.told("???", "words") == []


def test_meaning_counts_only_where_it_is_near_enough(watching: Watching) -> None:
    watching.site.tell(
        room(),
        message(0, "harbour lights"),
        message(1, "harbour one two three four five six seven"),
        message(2, "nothing of that"),
    )
    found = {hit.message.text: hit for hit in watching.hits("harbour bell lights")}
    assert set(found) == {"harbour lights"}
    assert found["harbour lights"].has_words is False
    assert found["harbour lights"].probability is not None
    assert found["harbour lights"].probability > 0.1
    assert watching.told("harbour", "meaning") == ["harbour lights"]


def test_words_are_not_waited_for_until_there_are_vectors_and_meaning_is(
    watching: Watching,
) -> None:
    upload = watching.site.tell(
        room(), message(0, "harbour"), message(1, "harbour lights"), has_vectors=False
    )
    early = watching.hits("harbour lights")
    assert [hit.message.text for hit in early] == ["harbour lights"]
    watching.site.embed(upload)
    late = watching.hits("harbour lights", after=early[-1].place)
    assert [(hit.message.text, hit.has_words) for hit in late] == [("harbour", False)]
    assert late[0].place.position > early[-1].place.position
    assert watching.told("harbour lights") == ["harbour lights", "harbour"]
    assert watching.told("harbour lights", after=late[-1].place) == []


def test_a_text_that_is_known_already_is_found_when_it_is_said_again(watching: Watching) -> None:
    watching.site.tell(room(), message(0, "harbour"))
    [first] = watching.hits("harbour lights")
    watching.site.tell(message(1, "harbour"), has_vectors=False)
    again = watching.hits("harbour lights", after=first.place)
    assert [hit.message.text for hit in again] == ["harbour"]
    assert again[0].message.id != first.message.id


def test_one_text_of_many_messages_is_told_of_each_of_them(watching: Watching) -> None:
    one = watching.site.tell(room(), *(message(n, "harbour") for n in range(7)), has_vectors=False)
    assert watching.told("harbour lights") == []
    watching.site.embed(one)
    hits = watching.hits("harbour lights", limit=2)
    assert len(hits) == len({hit.message.id for hit in hits}) == 7
    assert len({hit.place.position for hit in hits}) == 1


def test_what_is_edited_is_no_new_message(watching: Watching) -> None:
    watching.site.tell(room(), message(0, "harbour"), message(1, "sun"))
    told = watching.hits("harbour lights")
    watching.site.tell(message(0, "harbour bell"), message(1, "harbour lights"))
    assert watching.hits("harbour lights", after=told[-1].place) == []


def test_what_was_withdrawn_is_not_told(watching: Watching) -> None:
    first = watching.site.tell(room(), message(0, "rain"))
    watching.site.tell(message(1, "rain again"))
    upload = watching.site.ledger.archive.load(Upload, first)
    upload.withdraw()
    watching.site.ledger.record(upload)
    watching.site.advance()
    assert watching.told("rain") == ["rain again"]


def test_other_workspaces_are_not_looked_at(watching: Watching, own_ledger: Ledger) -> None:
    other = Watching(replace(own_ledger, workspace_id=uuid4()), Calibrated())
    other.site.tell(room(), message(0, "rain"), message(1, "harbour lights"))
    watching.site.tell(room(), message(0, "sun"))
    assert watching.told("rain") == []
    assert watching.told("harbour lights", "meaning") == []
    other.site.close()


def test_of_a_model_that_nobody_measured_words_alone_decide(own_ledger: Ledger) -> None:
    watching = Watching(own_ledger, HashEmbedder())
    watching.site.tell(room(), message(0, "harbour lights"), message(1, "harbour"))
    assert watching.told("harbour lights") == ["harbour lights"]
    assert watching.told("harbour", "meaning") == []
    watching.site.close()


def test_wherever_one_goes_on_nothing_is_missed_and_nothing_comes_twice(
    watching: Watching, looked_at: int
) -> None:
    site = watching.site
    site.tell(room(), *(message(n, f"harbour {n}") for n in range(4)))
    waiting = site.tell(
        *(message(n, "harbour") for n in range(10, 13)),
        message(13, "harbour lights"),
        has_vectors=False,
    )
    site.tell(*(message(n, "harbour lights") for n in range(20, 24)))
    site.tell(message(30, "sun"))
    site.embed(waiting)
    site.tell(*(message(n, f"lights harbour {n}") for n in range(40, 43)), has_vectors=False)

    for mode in ("hybrid", "words", "meaning"):
        whole = watching.hits("harbour lights", mode)
        ids = [hit.message.id for hit in whole]
        assert len(ids) == len(set(ids)) >= 3
        for limit in (1, 2, 3):
            assert [h.message.id for h in watching.hits("harbour lights", mode, limit=limit)] == ids
        for number, hit in enumerate(whole):
            rest = watching.hits("harbour lights", mode, after=hit.place, limit=2)
            assert [one.message.id for one in rest] == ids[number + 1 :]


def test_nothing_is_told_before_every_read_model_has_it(watching: Watching) -> None:
    watching.site.tell(room(), message(0, "sun"))
    watching.site.history.upload(message(1, "rain"))
    for name in new_hits.MODELS:
        assert watching.told("rain") == []
        watching.site.advance(name)
    assert watching.told("rain") == ["rain"]
