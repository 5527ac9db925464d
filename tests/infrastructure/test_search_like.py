"""More like a message: by its stored vector, without a model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from application.ports.search import SearchAnswer, SearchRequest
from application.searches import QueryRefusedError, understood
from application.searching.filters import Choice, Filters
from domain.upload import Upload
from domain.workspace import Workspace
from tests.support.archive import Ledger
from tests.support.chats import NOON, message, room
from tests.support.fake_embedder import HashEmbedder
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

TOLD = [
    "sailing boats in the harbour",
    "sailing boats leave the harbour",
    "boats in the harbour",
    "harbour dues for boats",
    "lunch at noon",
    "the plumber comes at noon",
]


class Speechless(HashEmbedder):
    """Knows its name, and embeds nothing."""

    def embed(self, texts: Any, **options: Any) -> Any:
        raise AssertionError(f"nothing is to be embedded, and this was: {texts}")


@pytest.fixture(params=["postgresql", "memory"])
def site(own_ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[SearchSite]:
    site = SearchSite(own_ledger, is_in_memory=request.param == "memory")
    site.tell(room("Other", "Other"), *(message(n, text) for n, text in enumerate(TOLD)))
    yield site
    site.close()


def id_of(site: SearchSite, text: str) -> int:
    with site.ledger.pool.connection() as connection:
        row = connection.execute(
            "SELECT min(message_id) FROM read.message WHERE workspace_id = %s AND text = %s",
            (site.ledger.workspace_id, text),
        ).fetchone()
    assert row is not None
    return int(row[0])


def like(site: SearchSite, id: int, query: str = "", **options: Any) -> SearchAnswer:
    request = SearchRequest(
        workspace_id=options.pop("workspace_id", site.ledger.workspace_id),
        query=query,
        like=id,
        **options,
    )
    return site.searcher.search(request, understood(request))


def texts(answer: SearchAnswer) -> list[str]:
    return [hit.message.text for hit in answer.hits]


def test_the_nearest_come_first_and_no_model_is_asked(site: SearchSite) -> None:
    by_text = [text for text in site.hits(TOLD[0], mode="meaning") if text != TOLD[0]]
    silent = SearchSite(site.ledger, embedder=Speechless())
    answer = like(silent, id_of(site, TOLD[0]))
    silent.close()
    assert texts(answer) == by_text
    assert set(texts(answer)[:3]) == set(TOLD[1:4])
    assert answer.hits[0].meaning is not None
    assert (answer.like_note, answer.engine) == (None, "pgvector")
    assert answer.model == HashEmbedder().model.id
    assert answer.coverage.indexed == answer.coverage.total == len(TOLD)


def test_itself_and_its_exact_copies_are_left_out_but_not_what_is_nearly_the_same(
    site: SearchSite,
) -> None:
    site.tell(
        message(10, TOLD[0], author="Bob"),
        message(11, TOLD[0], conversation="Other", key="copy"),
        message(12, "Sailing boats in the harbour!"),
        message(13, "sailing boats in the HARBOUR"),
    )
    answer = like(site, id_of(site, TOLD[0]), with_facets=True)
    assert TOLD[0] not in texts(answer)
    best = answer.hits[0]
    assert (best.message.text.casefold().strip("!"), best.duplicates) == (TOLD[0], 1)
    assert answer.facets is not None
    assert answer.facets.total == sum(1 + hit.duplicates for hit in answer.hits)
    listed = like(site, id_of(site, TOLD[0]), sort="oldest")
    assert len(listed.hits) == answer.facets.total
    assert [hit.message.sent_at for hit in listed.hits] == sorted(
        hit.message.sent_at for hit in listed.hits
    )


def test_filters_and_operators_hold(site: SearchSite) -> None:
    site.tell(message(10, "boats and harbour", author="Bob", conversation="Other"))
    id = id_of(site, TOLD[0])
    for query, filters in (
        ("from:Bob", Filters()),
        ("in:Other", Filters()),
        ("", Filters(authors=Choice(("Bob",)))),
        ("-boats from:Bob", Filters()),
    ):
        expected = [] if query.startswith("-") else ["boats and harbour"]
        assert texts(like(site, id, query, filters=filters)) == expected


def test_pages_make_the_whole_while_messages_arrive(site: SearchSite) -> None:
    id = id_of(site, TOLD[0])
    expected = texts(like(site, id))
    seen: list[str] = []
    page = like(site, id, limit=2)
    while True:
        seen += texts(page)
        number = 100 + len(seen)
        site.tell(message(number, f"sailing boats in the harbour {number}"))
        if not page.has_more:
            break
        page = like(site, id, limit=2, after=page.hits[-1].place)
    assert seen == expected
    [again] = like(site, id, alone=page.hits[-1].place).hits
    assert again.message == page.hits[-1].message


def test_what_has_no_vector_says_why(site: SearchSite) -> None:
    site.tell(message(20, "boats to come"), has_vectors=False)
    site.tell(
        message(21, "Ada left the boats", author=None, kind="system"),
        message(22, "  "),
    )
    for text, note in (
        ("boats to come", "not_indexed"),
        ("Ada left the boats", "not_said"),
        ("  ", "no_text"),
    ):
        for sort in ("relevance", "newest"):
            answer = like(site, id_of(site, text), sort=sort, with_facets=True)
            assert (answer.hits, answer.like_note, answer.model) == ([], note, None)
            assert answer.facets is not None
            assert answer.facets.total == 0
    assert answer.coverage.is_partial


def test_a_message_that_is_not_there_is_refused(site: SearchSite, own_ledger: Ledger) -> None:
    id = id_of(site, TOLD[0])
    other = Workspace.create(f"elsewhere {own_ledger.workspace_id.hex}")
    own_ledger.record(other)
    site.advance("workspaces")
    for asked in ({"id": 2**62}, {"id": id, "workspace_id": other.id}):
        with pytest.raises(QueryRefusedError):
            like(site, **asked)
    gone = site.tell(message(30, "boats that sink", sent_at=NOON + timedelta(days=3)))
    id = id_of(site, "boats that sink")
    assert like(site, id).hits
    upload = own_ledger.archive.load(Upload, gone)
    upload.withdraw()
    own_ledger.record(upload)
    site.advance()
    with pytest.raises(QueryRefusedError):
        like(site, id)


@pytest.mark.parametrize("options", [{"query": "boat"}, {"query": '"a b"'}, {"mode": "words"}])
def test_words_beside_a_message_are_refused(site: SearchSite, options: Any) -> None:
    with pytest.raises(QueryRefusedError):
        like(site, id_of(site, TOLD[0]), **options)
