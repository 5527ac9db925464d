"""Implements the port Searcher: meaning and words, fused, with context and coverage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg_pool import ConnectionPool

from application.ports.embedder import Embedder
from application.ports.search import Hit, SearchAnswer, SearchRequest, SearchTookTooLongError
from infrastructure.projections.waiting import wait_for
from infrastructure.search import meaning, messages, words
from infrastructure.search.fusion import fuse
from infrastructure.search.meaning import Accelerator, MeaningHit
from infrastructure.search.words import WordsHit

READ_MODELS = ("messages", "vectors", "conversations", "authors")
CANDIDATES = 100  # at least, on each side, before fusion
STATEMENT_SECONDS = 10.0  # a step that takes longer would hold a connection from the others
POSITION = """
SELECT coalesce(min(position), 0), coalesce(min(position) FILTER (WHERE name = 'vectors'), 0)
FROM projection.projection WHERE status IN ('live', 'halted') AND name = ANY(%s)
"""


class Place(TypedDict):
    workspace_id: UUID
    model: str


Key = UUID | int  # the text's key; the message's id where it has none


class HybridSearcher:
    """
    Thread-safe. One transaction of its own, so that an answer is of one moment.

    Args:
        embedder: for queries: a small instance, apart from the one that embeds uploads.
        accelerator: asked first; where it has no answer, pgvector has.
        statement_seconds: what one step of a search may take in the database.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        embedder: Embedder,
        accelerator: Accelerator | None = None,
        *,
        statement_seconds: float = STATEMENT_SECONDS,
    ) -> None:
        self._pool = pool
        self._embedder = embedder
        self._accelerator = accelerator
        self._statement_seconds = statement_seconds

    def search(self, request: SearchRequest) -> SearchAnswer:
        clock = Stopwatch()
        has_reached = request.min_position <= 0 or wait_for(
            self._pool,
            READ_MODELS,
            request.min_position,
            timeout_seconds=request.timeout_seconds,
        )
        # First of all: while a model loads or computes, nobody else shall miss a connection.
        model = self._embedder.model.id
        query = self._embed(request, clock)
        with self._snapshot() as connection:
            row = connection.execute(POSITION, (list(READ_MODELS),)).fetchone() or (0, 0)
            position, vectors_position = map(int, row)
            near, engine = self._by_meaning(connection, request, query, vectors_position, clock)
            worded = self._by_words(connection, request, clock)
            with clock.measure("context"):
                hits = assemble(connection, request, near, worded)
            covered = messages.coverage(
                connection,
                workspace_id=request.workspace_id,
                model=model,
                vectors_position=vectors_position,
            )
        return SearchAnswer(
            hits=hits,
            coverage=covered,
            position=position,
            is_stale=not has_reached,
            model=None if request.mode == "words" else model,
            engine=engine,
            timings_ms=clock.milliseconds,
        )

    @contextmanager
    def _snapshot(self) -> Iterator[Connection[Any]]:
        """One moment of the database, and a deadline for each statement."""
        seconds = self._statement_seconds
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                connection.execute(f"SET LOCAL statement_timeout = {round(seconds * 1000)}")
                yield connection
        except QueryCanceled as error:
            raise SearchTookTooLongError(
                f"a step of the search took longer than {seconds:g} s: ask again, or more narrowly"
            ) from error

    def _embed(self, request: SearchRequest, clock: Stopwatch) -> NDArray[np.float32] | None:
        if request.mode == "words":
            return None
        with clock.measure("embed"):
            vector: NDArray[np.float32] = self._embedder.embed([request.query])[0]
            return vector

    def _by_meaning(
        self,
        connection: Connection[Any],
        request: SearchRequest,
        query: NDArray[np.float32] | None,
        position: int,
        clock: Stopwatch,
    ) -> tuple[list[MeaningHit], str]:
        if query is None:
            return [], "none"
        limit = max(CANDIDATES, request.limit)
        place = Place(workspace_id=request.workspace_id, model=self._embedder.model.id)
        with clock.measure("meaning"):
            nearest = None
            if self._accelerator is not None:
                nearest = self._accelerator.nearest(
                    **place, query=query, limit=limit, position=position
                )
            if nearest is None:
                nearest = meaning.nearest_by_pgvector(connection, **place, query=query, limit=limit)
            return meaning.messages(connection, **place, nearest=nearest), nearest.engine

    @staticmethod
    def _by_words(
        connection: Connection[Any], request: SearchRequest, clock: Stopwatch
    ) -> list[WordsHit]:
        if request.mode == "meaning":
            return []
        with clock.measure("words"):
            found = words.find(
                connection,
                workspace_id=request.workspace_id,
                query=request.query,
                limit=max(CANDIDATES, request.limit),
                is_alone=request.mode == "words",
            )
        unique: dict[Key, WordsHit] = {}
        for hit in found:
            unique.setdefault(hit.text_key or hit.message_id, hit)
        return list(unique.values())


def assemble(
    connection: Connection[Any],
    request: SearchRequest,
    near: list[MeaningHit],
    worded: list[WordsHit],
) -> list[Hit]:
    by_meaning: dict[Key, tuple[int, MeaningHit]] = {
        hit.text_key: (rank, hit) for rank, hit in enumerate(near, start=1)
    }
    by_words: dict[Key, tuple[int, WordsHit]] = {
        hit.text_key or hit.message_id: (rank, hit) for rank, hit in enumerate(worded, start=1)
    }
    best = fuse(list(by_meaning), list(by_words))[: request.limit]
    ids = [(by_words.get(key) or by_meaning[key])[1].message_id for key, _ in best]
    workspace_id = request.workspace_id
    found = messages.by_id(connection, workspace_id=workspace_id, ids=ids)
    context = messages.around(connection, workspace_id=workspace_id, ids=ids, count=request.context)
    repeated = messages.same_text(connection, workspace_id=workspace_id, ids=ids)
    texts = [found[id_].text for id_ in ids]
    marks = words.highlights(connection, query=request.query, texts=texts) if texts else []
    hits = []
    for (key, score), id_, spans in zip(best, ids, marks, strict=True):
        meaning_rank, near_hit = by_meaning.get(key, (None, None))
        words_rank, word_hit = by_words.get(key, (None, None))
        before, after = context[id_]
        hits.append(
            Hit(
                message=found[id_],
                score=score,
                meaning=None if near_hit is None else near_hit.cosine,
                meaning_rank=meaning_rank,
                words=None if word_hit is None else word_hit.rank,
                words_rank=words_rank,
                highlights=spans,
                before=before,
                after=after,
                same_text=repeated.get(id_, 0),
            )
        )
    return hits


class Stopwatch:
    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.milliseconds[step] = (time.perf_counter() - started) * 1000
