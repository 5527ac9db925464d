"""Searches in memory where memory is behind, or does not tell all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from domain.upload import Upload
from infrastructure.words.follower import WordsFollower
from tests.support.archive import Ledger
from tests.support.chats import message
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


@pytest.fixture
def site(own_ledger: Ledger) -> Iterator[SearchSite]:
    site = SearchSite(own_ledger, is_in_memory=True)
    yield site
    site.close()


@pytest.mark.parametrize("mode", ["hybrid", "meaning", "words"])
def test_what_was_withdrawn_is_not_found_though_memory_has_it(
    site: SearchSite, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    site.tell(message(1, "a boat in the harbour"), message(2, "the boat comes back"))
    withdrawn = site.tell(message(3, "another boat in the harbour"))
    assert len(site.hits("boat harbour", mode=mode)) == 3
    monkeypatch.setattr(WordsFollower, "catch_up", lambda *_arguments: 0)
    upload = site.ledger.archive.load(Upload, withdrawn)
    upload.withdraw()
    site.ledger.record(upload)
    for name in site.runner.names:
        site.runner.advance(name)
    assert set(site.hits("boat harbour", mode=mode)) == {
        "a boat in the harbour",
        "the boat comes back",
    }


@pytest.mark.parametrize("mode", ["hybrid", "meaning"])
def test_meaning_is_found_where_vectors_in_memory_are_not_to_be_believed(
    site: SearchSite, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    site.tell(message(1, "a boat in the harbour"), message(2, "lunch is ready"))
    assert site.vectors is not None
    before = site.search("boat harbour", mode=mode)
    monkeypatch.setattr(type(site.vectors), "is_trusted", False)
    after = site.search("boat harbour", mode=mode)
    assert (before.engine, after.engine) == ("faiss", "pgvector")
    assert [hit.message.text for hit in after.hits] == [hit.message.text for hit in before.hits]


def test_words_that_belong_together_are_found_together(site: SearchSite) -> None:
    """Where enough messages have them so: what has one of their parts only is something else."""
    together = [message(n, f"a well-known boat, number {n}") for n in range(12)]
    apart = [message(20 + n, f"known as well, number {n}") for n in range(5)]
    site.tell(*together, *apart)
    answer = site.search("well-known", mode="words", limit=50, with_facets=True)
    assert {hit.message.text for hit in answer.hits} == {m.text for m in together}
    assert answer.facets is not None
    assert answer.facets.total == len(together)


def test_searches_go_on_while_messages_come_are_edited_and_go(site: SearchSite) -> None:
    """What was there all the time is found each time, and nothing is an error."""
    site.tell(*(message(n, f"a boat in harbour {n}", key=f"kept{n}") for n in range(20)))
    errors: list[BaseException] = []
    stop = threading.Event()

    def keep_searching(query: str, options: dict[str, Any]) -> None:
        try:
            while not stop.is_set():
                found = site.search(query, limit=100, with_facets=True, **options).hits
                kept = [hit for hit in found if hit.message.text.startswith("a boat")]
                assert len(kept) == 20, (query, options, len(kept))
        except BaseException as error:  # noqa: BLE001 - shown below
            errors.append(error)

    asked: list[tuple[str, dict[str, Any]]] = [
        ("boat", {"mode": "words"}),
        ("boat harbour from:Ada", {"mode": "hybrid"}),
        ("from:Ada before:2024-05-01T12:30", {"sort": "newest"}),
    ]
    threads = [threading.Thread(target=keep_searching, args=pair) for pair in asked]
    for thread in threads:
        thread.start()
    for number in range(12):
        upload = site.tell(
            *(message(100 + n, f"rain {number} {n}", key=f"edited{n}") for n in range(15)),
            *(message(200 + n, f"sun {number} {n}", key=f"new{number}.{n}") for n in range(15)),
        )
        if number % 3 == 2:
            withdrawn = site.ledger.archive.load(Upload, upload)
            withdrawn.withdraw()
            site.ledger.record(withdrawn)
            site.advance()
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
