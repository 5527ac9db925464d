"""Vectors on a real PostgreSQL: each text once, in segments, with ids that never change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from psycopg import Connection

from application.commands.embed_upload import pack
from domain.transcript import IDS_PER_POSITION, TranscriptEmbedding
from projections.vectors.binary import unpack
from projections.vectors.projection import VectorsReadModel
from tests.support.archive import Ledger
from tests.support.chats import History, message
from tests.support.scratch import SCHEMA, Tables, events_of, projected
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

MODEL, DIMENSIONS = "tiny@0/p1", 3
TABLES = ("text_vector", "segment", "embedding", "coverage")


@dataclass(slots=True)
class Vectors:
    """Uploads with made-up vectors of three numbers."""

    ledger: Ledger
    segment_rows: int = 4
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(self.ledger)

    @property
    def model(self) -> VectorsReadModel:
        return VectorsReadModel(segment_rows=self.segment_rows)

    def add(self, *texts: str, author: str = "Ada", model: str = MODEL) -> None:
        """One upload, one transcript, all its vectors."""
        upload = self.history.upload(*(message(n, text) for n, text in enumerate(texts)))
        self.embed(upload, texts, author=author, model=model)

    def embed(
        self, upload: UUID, texts: Sequence[str], *, author: str = "Ada", model: str = MODEL
    ) -> None:
        by_author = {str(self.history.author(author)): texts}
        self.record(upload, by_author, model=model)

    def record(
        self, upload: UUID, by_author: dict[str, Sequence[str]], *, model: str = MODEL
    ) -> None:
        fact = TranscriptEmbedding.record(
            upload_id=upload,
            batch=0,
            model=model,
            dimensions=DIMENSIONS,
            embedded=sum(map(len, by_author.values())),
            reused=0,
            counts={author: len(texts) for author, texts in by_author.items()},
            vectors={author: self.packed(texts) for author, texts in by_author.items()},
        )
        self.ledger.record(fact)

    def packed(self, texts: Sequence[str]) -> bytes:
        vectors = np.array([vector_of(text) for text in texts]).reshape(-1, DIMENSIONS)
        return b"".join(pack([self.key(text) for text in texts], vectors))

    def key(self, text: str) -> UUID:
        return self.ledger.pseudonyms.text(self.ledger.workspace_id, text)

    @contextmanager
    def tables(self, page: int = 1_000_000) -> Iterator[Tables]:
        with projected(self.ledger, self.model, page=page) as tables:
            yield tables


def vector_of(text: str) -> list[float]:
    return [len(text), ord(text[0]), 0.5]


@pytest.fixture
def vectors(own_ledger: Ledger) -> Vectors:
    return Vectors(own_ledger)


def graphs(connection: Connection[Any]) -> list[str]:
    """The tables that have an HNSW graph."""
    found = connection.execute(
        "SELECT tablename FROM pg_indexes WHERE schemaname = %s AND indexdef LIKE '%%hnsw%%'",
        (SCHEMA,),
    )
    return sorted(row[0] for row in found)


def test_a_vector_is_stored_as_it_was_recorded(vectors: Vectors) -> None:
    vectors.add("a", "bb")
    [*_, event] = events_of(vectors.ledger, vectors.model)
    first = event.position * IDS_PER_POSITION
    with vectors.tables() as tables:
        stored = tables.rows("embedding", "segment, vector_id, workspace_id, embedding::text")
        keyed = tables.rows("text_vector", "vector_id, text_key, model, segment, position")

    workspace = vectors.ledger.workspace_id
    assert stored == [(1, first, workspace, "[1,97,0.5]"), (1, first + 1, workspace, "[2,98,0.5]")]
    assert keyed == [
        (first, vectors.key("a"), MODEL, 1, event.position),
        (first + 1, vectors.key("bb"), MODEL, 1, event.position),
    ]


def test_a_known_text_is_not_doubled(vectors: Vectors) -> None:
    """Two uploads that are embedded at the same moment may both bring it: the first counts."""
    vectors.add("a", "b")
    with vectors.tables() as tables:
        before = tables.rows("text_vector", "text_key, vector_id")
    vectors.add("b", "a", "a", "c")
    for page in (1, 100):
        with vectors.tables(page) as tables:
            after = tables.rows("text_vector", "text_key, vector_id")
            assert tables.one("embedding", "count(*)") == (3,)
            assert tables.one("segment", "rows") == (3,)
        assert set(before) < set(after)
        assert len(after) == 3


def test_the_same_text_under_another_model_has_another_vector(vectors: Vectors) -> None:
    vectors.add("a")
    vectors.add("a", model="other@1/p1")
    with vectors.tables() as tables:
        assert tables.rows("text_vector", "model, segment") == [("other@1/p1", 2), (MODEL, 1)]
        assert tables.rows("segment", "model, dimensions, rows") == [
            ("other@1/p1", 3, 1),
            (MODEL, 3, 1),
        ]


def test_a_segment_closes_at_its_size_and_the_next_one_opens(vectors: Vectors) -> None:
    vectors.add(*"abc")
    vectors.add(*"defghi")
    with vectors.tables() as tables:
        assert tables.rows("segment", "segment, rows, is_indexed") == [
            (1, 4, False),
            (2, 4, False),
            (3, 1, False),
        ]
        rows = tables.rows("embedding", "segment, count(*)", "GROUP BY segment ORDER BY segment")
        assert rows == [(1, 4), (2, 4), (3, 1)]
        keyed = tables.rows("text_vector", "segment, count(*)", "GROUP BY segment ORDER BY segment")
        assert keyed == rows


def test_a_full_segment_stays_the_last_until_another_vector_comes(vectors: Vectors) -> None:
    vectors.add(*"abcd")
    with vectors.tables() as tables:
        assert tables.rows("segment", "segment, rows") == [(1, 4)]
        assert vectors.model.maintain(tables.connection, SCHEMA) is False
        assert graphs(tables.connection) == []


def test_graphs_are_built_of_closed_segments_only_one_at_a_time(vectors: Vectors) -> None:
    vectors.add(*"abcdefghi")
    with vectors.tables() as tables:
        connection = tables.connection
        more = [vectors.model.maintain(connection, SCHEMA)]
        assert graphs(connection) == ["embedding_1"]
        more.append(vectors.model.maintain(connection, SCHEMA))
        assert graphs(connection) == ["embedding_1", "embedding_2"]
        more.append(vectors.model.maintain(connection, SCHEMA))
        assert graphs(connection) == ["embedding_1", "embedding_2"]
        assert more == [True, False, False]
        assert tables.rows("segment", "segment, is_indexed") == [(1, True), (2, True), (3, False)]


def test_each_model_has_an_open_segment_of_its_own(vectors: Vectors) -> None:
    vectors.add(*"abcde")
    vectors.add(*"abcdef", model="other@1/p1")
    with vectors.tables() as tables:
        while vectors.model.maintain(tables.connection, SCHEMA):
            pass
        assert tables.rows("segment", "segment, model, rows, is_indexed") == [
            (1, MODEL, 4, True),
            (2, MODEL, 1, False),
            (3, "other@1/p1", 4, True),
            (4, "other@1/p1", 2, False),
        ]


def test_where_pages_end_makes_no_difference(vectors: Vectors) -> None:
    for number in range(8):
        vectors.add(*(f"{chr(97 + n)}" for n in range(number, number * 2 + 1)))
    vectors.history.upload(message(0, "still to come"))
    found = []
    for page in (1, 2, 3, 1_000):
        with vectors.tables(page) as tables:
            found.append(tables.everything(*TABLES))

    assert found[0] == found[1] == found[2] == found[3]


def test_transcripts_without_their_vectors_are_awaited(vectors: Vectors) -> None:
    upload = vectors.history.upload(message(0, "a"), message(1, "b"))
    other = vectors.history.upload(message(0, "c"))
    with vectors.tables() as tables:
        assert sorted(tables.rows("coverage", "upload_id, batch, texts")) == sorted(
            [(upload, 0, 2), (other, 0, 1)]
        )
    vectors.embed(upload, ["a", "b"])
    for page in (1, 100):
        with vectors.tables(page) as tables:
            assert tables.rows("coverage", "upload_id") == [(other,)]


def test_an_erased_persons_vectors_are_gone_and_the_others_keep_their_ids(
    vectors: Vectors,
) -> None:
    upload = vectors.history.upload(message(0, "a"), message(1, "b", author="Bob"))
    ada, bob, cem = (str(vectors.history.author(name)) for name in ("Ada", "Bob", "Cem"))
    vectors.record(upload, {ada: ["a", "aa"], bob: ["b"], cem: ["c", "cc"]})
    with vectors.tables() as tables:
        before = tables.rows("text_vector", "vector_id, text_key")
        rows = tables.rows("embedding", "vector_id, embedding::text")
    vectors.ledger.keyring.destroy(UUID(bob))
    with vectors.tables() as tables:
        after = tables.rows("text_vector", "vector_id, text_key")
        kept = tables.rows("embedding", "vector_id, embedding::text")

    assert after == [row for row in before if row[1] != vectors.key("b")]
    assert kept == [row for row in rows if row[0] in dict(after)]
    assert len(after) == 4


def test_workspaces_share_nothing(vectors: Vectors) -> None:
    other = Vectors(replace(vectors.ledger, workspace_id=uuid4()))
    vectors.add("a")
    other.add("a")
    both = events_of(vectors.ledger, vectors.model) + events_of(other.ledger, other.model)
    with projected(vectors.ledger, vectors.model, both) as tables:
        assert len(tables.rows("text_vector", "workspace_id")) == 2
        assert tables.one("embedding", "count(DISTINCT workspace_id)") == (2,)


def test_half_a_row_is_refused() -> None:
    """A fact that does not hold what it says halts the projection instead of shifting ids."""
    with pytest.raises(ValueError, match="25 bytes are no whole number of 22-byte rows"):
        unpack(bytes(25), 3)
