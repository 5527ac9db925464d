"""The parts of a search: highlights, limits, and what pgvector finds."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from application.ports.search import SearchRequest
from application.searches import QueryRefusedError, check
from application.searching.query import parse
from infrastructure.search import words
from infrastructure.search.meaning import NEAREST, SEGMENTS, Nearest, nearest_by_pgvector
from infrastructure.search.tsquery import TsQueries, tsqueries
from tests.support.archive import Ledger
from tests.support.shared_ledger import shared_ledger
from tests.support.vector_feed import DIMENSIONS, VectorFeed, unit_vectors

__all__ = ["shared_ledger"]


@pytest.fixture(scope="module")
def feed(shared_ledger: Ledger) -> VectorFeed:
    """Some thousands of vectors in segments with graphs, and a few beside them."""
    feed = VectorFeed(shared_ledger, segment_rows=3_000)
    feed.add(unit_vectors(10_000))
    while feed.runner.maintain("vectors"):
        pass
    return feed


def asked(connection: Connection[Any], query: str) -> TsQueries:
    return tsqueries(connection, parse(query), ())


def marked(ledger: Ledger, query: str, text: str) -> list[str]:
    with ledger.pool.connection() as connection:
        [spans] = words.highlights(connection, words=asked(connection, query), texts=[(None, text)])
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("sail", "Sailing: he sails, they SAILED.", ["Sailing", "sails", "SAILED"]),
        ("harbour", "😀👩‍👩‍👧 the harbour ☔ harbour", ["harbour", "harbour"]),
        ("cafe\u0301", "un cafe\u0301 noir", ["cafe\u0301"]),
        ("boat trip", "a trip by boat", ["trip", "boat"]),
        ("the of", "the end of it", ["the", "of"]),
        ("dog", "nothing here", []),
        ("dog", "<b>dog</b> & \n\n  dog's\tdog", ["dog", "dog", "dog"]),
        ("dog", "https://dog.example/dog?x=1 dog-house dog@home.org", None),
        ("", "anything", []),
        ("dog", "", []),
    ],
)
def test_highlights_are_the_words_in_any_inflection(
    shared_ledger: Ledger, query: str, text: str, expected: list[str] | None
) -> None:
    found = marked(shared_ledger, query, text)

    if expected is None:  # what of a link is a word is PostgreSQL's to say
        assert set(map(str.lower, found)) <= {"dog"}
    else:
        assert found == expected


@pytest.mark.parametrize("mark", [words.START, words.STOP, words.STOP + words.START])
def test_a_text_with_marks_in_itself_has_the_right_highlights_or_none(
    shared_ledger: Ledger, mark: str
) -> None:
    """Rather none than wrong ones."""
    found = marked(shared_ledger, "dog", f"{mark} a dog {mark} and a dog")

    assert found in ([], ["dog", "dog"])


@given(
    text=st.text(st.sampled_from("dog Dogs\n<>&;'\"-_./:@#😀e\u0301ß" + words.START + words.STOP))
)
def test_highlights_are_spans_of_the_query_s_word(shared_ledger: Ledger, text: str) -> None:
    with shared_ledger.pool.connection() as connection:
        [spans] = words.highlights(connection, words=asked(connection, "dog"), texts=[(None, text)])
    for start, end in spans:
        assert text[start:end].lower() in {"dog", "dogs"}
    assert list(spans) == sorted(spans)


@pytest.mark.parametrize(
    "query", ["x" * 2_001, "a\x00b", "half \ud800 a character"], ids=["long", "NUL", "surrogate"]
)
def test_a_query_that_cannot_be_searched_for_is_refused(query: str) -> None:
    with pytest.raises(QueryRefusedError):
        check(SearchRequest(workspace_id=uuid4(), query=query))


def nearest(feed: VectorFeed, query: Any, limit: int = 10, **changes: Any) -> Nearest:
    place = {"workspace_id": feed.ledger.workspace_id, "model": feed.model.id} | changes
    with feed.ledger.pool.connection() as connection, connection.transaction():
        return nearest_by_pgvector(connection, query=query, limit=limit, **place)


def test_pgvector_finds_what_an_exact_search_finds(feed: VectorFeed) -> None:
    """Over graphs and the tail together: at least 95 of 100 of the ten nearest."""
    keys = list(feed.rows)
    kept = np.stack(list(feed.rows.values())).astype(np.float16).astype(np.float32)
    found = 0
    for query in unit_vectors(20, seed=77):
        scores = kept @ query
        answer = nearest(feed, query)
        best = {keys[i] for i in np.argsort(-scores)[:10]}
        mine = feed.text_keys(answer.ids)
        found += len(best & set(mine))
        exact = [float(scores[keys.index(key)]) for key in mine]
        assert answer.cosines == pytest.approx(exact, abs=2e-3)
        assert answer.cosines == sorted(answer.cosines, reverse=True)
    with feed.ledger.pool.connection() as connection:
        indexed = connection.execute(
            "SELECT is_indexed FROM read.vector_segment WHERE model = %s ORDER BY segment",
            (feed.model.id,),
        ).fetchall()

    assert indexed == [(True,), (True,), (True,), (False,)]
    assert found / 200 >= 0.95


def test_graphs_are_used_as_soon_as_they_are_built(feed: VectorFeed) -> None:
    """The planner prefers to scan what it has no statistics of, however large it is."""
    with feed.ledger.pool.connection() as connection:
        segments = [row[0] for row in connection.execute(SEGMENTS, (feed.model.id,))]
        values = {
            "query": str(unit_vectors(1)[0].tolist()),
            "workspace": feed.ledger.workspace_id,
            "segments": segments,
            "limit": 10,
        }
        query = "EXPLAIN " + NEAREST.format(dimensions=DIMENSIONS)
        plan = "\n".join(row[0] for row in connection.execute(query, values))

    assert plan.count("Index Scan using embedding_") == 3
    assert plan.count("Seq Scan on embedding_") == 1  # the tail


def test_a_small_workspace_is_found_among_many_others_vectors(feed: VectorFeed) -> None:
    """The filter restricts before ranking: all twelve come, in the exact order."""
    small = uuid4()
    vectors = unit_vectors(12, seed=5)
    before = len(feed.rows)
    feed.add(vectors, workspace_id=small)
    feed.add(unit_vectors(3_000, seed=6))  # closes the segment that they are in
    while feed.runner.maintain("vectors"):
        pass
    mine = dict(list(feed.rows.items())[before : before + 12])
    for query in unit_vectors(5, seed=78):
        answer = nearest(feed, query, limit=100, workspace_id=small)
        exact = sorted(mine, key=lambda key: -float(mine[key] @ query))
        assert feed.text_keys(answer.ids) == exact


def test_a_model_without_vectors_has_no_answer(feed: VectorFeed) -> None:
    assert nearest(feed, unit_vectors(1)[0], model="nobody's") == ([], [], "pgvector", None)
