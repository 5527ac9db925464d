"""Search over a real archive: what is found, what stands around it, how much is covered."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg_pool import ConnectionPool

from application.ports.jobs import Stopped
from application.ports.search import (
    Found,
    Hit,
    SearchRequest,
    SearchTookTooLongError,
)
from application.ports.vectors import VectorsLaggingError
from application.searching.query import parse
from domain.message import Message
from domain.workspace import UnknownWorkspaceError, Workspace
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.search import catalogue as catalogue_module
from infrastructure.search import messages as messages_module
from infrastructure.search.catalogue import PostgresVectorCatalogue
from infrastructure.search.hybrid import HybridSearcher
from infrastructure.search.meaning import Nearest
from tests.support.archive import Ledger, app_conninfo, connect
from tests.support.chats import NOON, message, room
from tests.support.fake_embedder import HashEmbedder
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


@pytest.fixture
def site(own_ledger: Ledger) -> SearchSite:
    return SearchSite(own_ledger)


def test_a_word_of_a_link_with_an_ampersand_is_found(site: SearchSite) -> None:
    link = "example.com/find?a=1&b=2"
    site.tell(message(0, f"see {link}"), message(1, "something else"))

    assert site.hits(f"{link} nowhere", mode="words") == [f"see {link}"]
    hit = site.hit(link)
    assert hit.highlights
    assert all(hit.message.text[start:end] in link for start, end in hit.highlights)


def test_words_meaning_and_both_find_what_they_are_for(site: SearchSite) -> None:
    site.tell(
        message(0, "sailing boats"),
        message(1, "boat"),
        message(2, "the boat and the harbour are far away from here"),
        message(3, "lunch at noon"),
    )
    by_words = site.search("boat", mode="words")
    by_meaning = site.search("boat", mode="meaning")
    both = site.search("boat")

    assert {h.message.text for h in by_words.hits} == {
        "sailing boats",
        "boat",
        "the boat and the harbour are far away from here",
    }
    assert all(h.meaning is None and h.meaning_rank is None for h in by_words.hits)
    assert [h.words_rank for h in by_words.hits] == [1, 2, 3]
    assert (by_words.model, by_words.engine) == (None, "none")
    assert len(by_meaning.hits) == 4
    assert by_meaning.hits[0].message.text == "boat"
    assert by_meaning.hits[0].meaning == pytest.approx(1.0, abs=1e-3)
    assert [h.meaning_rank for h in by_meaning.hits] == [1, 2, 3, 4]
    assert all(h.words is None and h.words_rank is None for h in by_meaning.hits)
    assert by_meaning.engine == "pgvector"
    assert len(both.hits) == 4
    assert both.hits[0].message.text == "boat"
    scores = [h.score for h in both.hits]
    assert scores == sorted(scores, reverse=True)
    # A query of one word is looked up: what holds it comes before what does not.
    assert both.hits[-1].message.text == "lunch at noon"
    assert all(h.probability is None for h in both.hits)  # nobody has calibrated the model


def test_words_alone_find_some_of_the_words_after_all_of_them(site: SearchSite) -> None:
    site.tell(message(0, "boat"), message(1, "boat and harbour"), message(2, "lunch"))

    assert site.hits("boat harbour", mode="words") == ["boat and harbour", "boat"]


def test_what_a_query_excludes_is_not_found_by_words(site: SearchSite) -> None:
    site.tell(message(0, "boat in the rain"), message(1, "boat in the sun"))

    assert site.hits("boat -rain", mode="words") == ["boat in the sun"]
    assert site.hits("boat sun -rain", mode="words") == ["boat in the sun"]


def test_a_quoted_phrase_comes_first(site: SearchSite) -> None:
    site.tell(message(0, "trip by boat"), message(1, "the boat trip is on"))

    assert site.hits('"boat trip"', mode="words")[0] == "the boat trip is on"


@pytest.mark.parametrize("query", ["!", "'", "a & | b", "\\", ":*", "(((", "%s %(x)s", "the", "😀"])
def test_no_query_breaks_the_search(site: SearchSite, query: str) -> None:
    site.tell(message(0, "something"))

    for mode in ("words", "meaning", "hybrid"):
        assert len(site.search(query, mode=mode).hits) <= 1


def test_messages_with_the_same_text_are_one_hit_that_counts_the_others(site: SearchSite) -> None:
    """The latest stands for all."""
    site.tell(message(0, "ok boat"), message(1, "ok boat"), message(2, "ok boat", author="Bob"))
    for mode in ("words", "meaning", "hybrid"):
        [hit] = site.search("boat", mode=mode).hits
        assert (hit.message.author, hit.same_text) == ("Bob", 2)


def test_a_system_notice_is_found_by_words(site: SearchSite) -> None:
    """It has no text key: nothing says what it means."""
    site.tell(
        message(0, "Ada created the group", author=None, kind="system"),
        message(1, "Ada created the group", author=None, kind="system"),
    )
    [hit] = site.search("created").hits

    assert (hit.message.author, hit.meaning, hit.same_text, hit.duplicates) == (None, None, 0, 1)


def test_an_edited_text_is_not_found_any_more(site: SearchSite) -> None:
    site.tell(message(0, "at the harbour"))
    site.tell(message(0, "at the bakery"))

    for mode in ("words", "meaning", "hybrid"):
        assert site.hits("harbour bakery", mode=mode) == ["at the bakery"]


def test_limit_is_what_comes_back(site: SearchSite) -> None:
    site.tell(*(message(n, f"boat number {n}") for n in range(150)))

    for mode in ("words", "meaning", "hybrid"):
        assert [len(site.hits("boat", mode=mode, limit=n)) for n in (1, 100)] == [1, 100]


def context(hit: Hit) -> tuple[list[str], list[str]]:
    return [m.text for m in hit.before], [m.text for m in hit.after]


def test_context_is_what_stood_around_in_the_same_conversation(site: SearchSite) -> None:
    spoken = [message(n, f"w{n}") for n in range(6)]
    aside = [message(n, f"x{n}", key=f"x{n}", conversation="Other") for n in range(6)]
    site.tell(room("Team"), *(m for pair in zip(spoken, aside, strict=True) for m in pair))

    assert context(site.hit("w2")) == (["w0", "w1"], ["w3", "w4"])
    assert context(site.hit("w0")) == ([], ["w1", "w2"])
    assert context(site.hit("w5")) == (["w3", "w4"], [])
    assert context(site.hit("w2", context=0)) == ([], [])
    assert context(site.hit("w2", context=20)) == (["w0", "w1"], ["w3", "w4", "w5"])
    assert site.hit("w2").before[0].conversation == "Team"


def test_messages_of_the_same_minute_keep_the_order_of_the_file(site: SearchSite) -> None:
    site.tell(*(message(0, f"w{n}", key=f"k{n}") for n in (3, 1, 4, 0, 2)))

    assert context(site.hit("w4")) == (["w3", "w1"], ["w0", "w2"])


def test_coverage_is_partial_while_vectors_are_outstanding(site: SearchSite) -> None:
    site.tell(message(0, "boat"), message(1, "joined", author=None, kind="system"))
    upload = site.tell(message(5, "boat"), message(6, "lunch"), has_vectors=False)
    waiting = site.search("boat").coverage
    site.embed(upload)
    complete = site.search("boat").coverage

    assert (waiting.indexed, waiting.total, waiting.is_partial) == (2, 3, True)
    assert (complete.indexed, complete.total, complete.is_partial) == (3, 3, False)


COUNTED = """
SELECT count(t.vector_id), count(m.text_key) FROM read.message AS m
LEFT JOIN read.text_vector AS t ON t.workspace_id = m.workspace_id AND t.text_key = m.text_key
    AND t.model = %s
WHERE m.workspace_id = %s
"""


def test_coverage_is_what_a_count_of_all_messages_says(
    site: SearchSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever waits: overlaps, repeated texts, edits, an upload that is never embedded."""

    def counted() -> tuple[int, int]:
        with site.ledger.pool.connection() as connection:
            values = (HashEmbedder().model.id, site.ledger.workspace_id)
            indexed, total = connection.execute(COUNTED, values).fetchone() or (0, 0)
        return indexed, total

    def covered() -> tuple[int, int]:
        found = site.search("boat").coverage
        return found.indexed, found.total

    site.tell(*(message(n, f"w{n}") for n in range(6)), message(6, "joined", kind="system"))
    assert covered() == counted() == (6, 6)
    site.tell(message(0, "w0"), message(3, "new"), message(9, "w1"), has_vectors=False)
    assert covered() == counted() == (6, 7)  # an edit lacks its vector, a repeated text does not
    longer = site.tell(message(9, "w1"), message(10, "x"), message(11, "y"), has_vectors=False)
    assert covered() == counted() == (6, 9)
    monkeypatch.setattr(messages_module, "EXACT_UP_TO", 0)
    assert covered() == (3, 9)  # no more than there are
    monkeypatch.undo()
    site.embed(longer)
    assert covered() == counted() == (8, 9)
    site.history.upload(message(12, "z"), message(13, "w2"), message(0, "w0"))
    site.advance("messages")  # and the vectors read model has not heard of them
    assert covered() == counted() == (9, 11)
    site.advance("vectors")
    assert covered() == counted() == (9, 11)
    site.tell(message(3, "w3", edited_at=NOON), has_vectors=True)
    assert covered() == counted() == (10, 11)


def test_coverage_is_partial_before_the_vectors_read_model_has_heard_of_messages(
    site: SearchSite,
) -> None:
    site.history.upload(message(0, "boat"))
    site.advance("messages", "conversations", "authors")
    answer = site.search("boat")

    assert (answer.coverage.indexed, answer.coverage.total) == (0, 1)
    assert [h.message.text for h in answer.hits] == ["boat"]


def test_an_answer_says_its_position_and_whether_it_is_stale(site: SearchSite) -> None:
    site.tell(message(0, "boat"))
    head = site.ledger.head()
    assert site.search("boat", min_position=head).is_stale is False
    site.history.upload(message(1, "boat trip"))
    later = site.ledger.head()
    stale = site.search("boat", min_position=later, timeout_seconds=0.1)

    assert (stale.is_stale, stale.position) == (True, head)
    assert [h.message.text for h in stale.hits] == ["boat"]
    site.advance()
    fresh = site.search("boat", min_position=later)
    assert (fresh.is_stale, fresh.position, len(fresh.hits)) == (False, later, 2)


def test_no_connection_is_held_while_the_model_computes(site: SearchSite) -> None:
    site.tell(message(0, "boat"))
    conninfo = app_conninfo(site.ledger.url)
    with ConnectionPool(conninfo, max_size=1, min_size=1, kwargs={"autocommit": True}) as pool:

        class Curious(HashEmbedder):
            def embed(self, *args: Any, **options: Any) -> Any:
                with pool.connection(timeout=5):  # the only one
                    return super().embed(*args, **options)

        site.searcher = HybridSearcher(pool, site.ledger.positions, QueryEmbedder(Curious()))
        for mode in ("meaning", "hybrid"):
            assert site.hits("boat", mode=mode) == ["boat"]


@pytest.mark.parametrize("table", ["messages_v1.message", "authors_v1.author"])
def test_a_search_that_takes_too_long_is_given_up(site: SearchSite, table: str) -> None:
    """Whether it waits for one statement or for one of several that are on their way."""
    site.tell(message(0, "boat"))
    patient = site.searcher
    site.searcher = HybridSearcher(
        site.ledger.pool,
        site.ledger.positions,
        QueryEmbedder(HashEmbedder()),
        statement_seconds=0.2,
    )
    with connect(site.ledger.url) as blocking, blocking.transaction():
        blocking.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SearchTookTooLongError, match=r"longer than 0\.2 s"):
            site.search("boat")
    assert site.hits("boat") == ["boat"]
    site.searcher = patient
    with site.ledger.pool.connection() as connection:  # the deadline was the search's only
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_another_workspace_never_appears(site: SearchSite) -> None:
    """Not in hits, nor in context, nor in counts."""
    site.tell(message(0, "boat"), message(1, "harbour"))
    other = SearchSite(Ledger(**_fields(site.ledger, workspace_id=uuid4())))
    other.tell(message(0, "boat"), message(1, "boat again"))

    for mode in ("words", "meaning", "hybrid"):
        mine, theirs = site.search("boat", mode=mode), other.search("boat", mode=mode)
        assert mine.coverage.total == 2
        assert not {h.message.id for h in mine.hits} & {h.message.id for h in theirs.hits}
        assert "boat again" not in str(mine.hits)
        assert mine.hits[0].same_text == 0
    assert site.hits("boat", workspace_id=uuid4()) == []


def test_a_workspace_that_nobody_vouches_for_has_to_be_there(site: SearchSite) -> None:
    """It is missed before anything is found, so that no search of it is recorded."""
    workspace = Workspace.create(str(uuid4()))
    request = SearchRequest(workspace_id=workspace.id, query="boat", is_workspace_known=False)
    found: list[Found] = []
    with pytest.raises(UnknownWorkspaceError):
        site.searcher.search(request, parse(request.query), found.append)
    assert found == []
    site.ledger.record(workspace)
    site.advance()
    assert site.searcher.search(request, parse(request.query), found.append).hits == []
    assert len(found) == 1


class Behind:
    """Vectors in memory that have not come so far when they are first asked."""

    def __init__(self, then: Nearest | None) -> None:
        self.asked: list[int] = []
        self._then = then

    def nearest(self, *, position: int, **_asked: Any) -> Nearest | None:
        self.asked.append(position)
        return self._then if position else Nearest([], [], "faiss", 0)

    def vectors_of(self, *_asked: Any, **_where: Any) -> None:
        return None

    def background(self, *_asked: Any, **_where: Any) -> None:
        return None


def test_vectors_in_memory_that_were_behind_are_asked_once_more(site: SearchSite) -> None:
    """They begin to compare before it is known how far the answer reaches."""
    site.tell(message(0, "boat"))
    caught_up = Behind(Nearest([], [], "faiss", 10**9))
    still_behind = Behind(None)
    engines = []
    for one in (caught_up, still_behind):
        site.searcher = HybridSearcher(
            site.ledger.pool, site.ledger.positions, QueryEmbedder(HashEmbedder()), one
        )
        engines.append(site.search("boat", mode="meaning").engine)
    assert engines == ["faiss", "pgvector"]
    assert caught_up.asked == still_behind.asked
    assert caught_up.asked[0] == 0 < caught_up.asked[1]
    assert site.hits("boat", mode="meaning") == ["boat"]


def _fields(ledger: Ledger, **changes: Any) -> dict[str, Any]:
    return {name: getattr(ledger, name) for name in Ledger.__slots__} | changes


def test_waiting_for_vectors_ends_when_it_should_stop(site: SearchSite) -> None:
    """A worker that ends does not wait for a read model that lags."""
    catalogue = PostgresVectorCatalogue(site.ledger.pool, site.ledger.positions)
    position = site.ledger.head() + 1
    started = time.monotonic()
    with pytest.raises(Stopped):
        catalogue.catch_up(position, should_stop=lambda: True)
    assert time.monotonic() - started < 5


def test_vectors_that_lag_are_not_waited_for_beyond_a_time(
    site: SearchSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_module, "TIMEOUT_SECONDS", 0.1)
    with pytest.raises(VectorsLaggingError, match="within 0 s: see `chatledger projection"):
        PostgresVectorCatalogue(site.ledger.pool, site.ledger.positions).catch_up(
            site.ledger.head() + 1, should_stop=lambda: False
        )


def test_messages_far_apart_in_time_share_no_context(site: SearchSite) -> None:
    """Context is the order of the conversation, however long it was silent."""
    late: Message = message(1, "w1")._replace(sent_at=NOON + timedelta(days=4_000))
    site.tell(message(0, "w0"), late)

    assert context(site.hit("w0")) == ([], ["w1"])
