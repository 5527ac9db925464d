"""Implements the port Searcher: meaning and words, fused, with context and coverage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.ports.embedder import Embedder
from application.ports.search import Hit, SearchAnswer, SearchRequest
from infrastructure.projections.waiting import wait_for
from infrastructure.search import meaning, messages, words
from infrastructure.search.fusion import fuse
from infrastructure.search.meaning import Accelerator, MeaningHit
from infrastructure.search.words import WordsHit

READ_MODELS = ("messages", "vectors", "conversations", "authors")
CANDIDATES = 100  # at least, on each side, before fusion
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
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        embedder: Embedder,
        accelerator: Accelerator | None = None,
    ) -> None:
        self._pool = pool
        self._embedder = embedder
        self._accelerator = accelerator

    def search(self, request: SearchRequest) -> SearchAnswer:
        clock = Stopwatch()
        has_reached = request.min_position <= 0 or wait_for(
            self._pool,
            READ_MODELS,
            request.min_position,
            timeout_seconds=request.timeout_seconds,
        )
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            row = connection.execute(POSITION, (list(READ_MODELS),)).fetchone() or (0, 0)
            position, vectors_position = map(int, row)
            near, engine = self._by_meaning(connection, request, vectors_position, clock)
            worded = self._by_words(connection, request, clock)
            with clock.measure("context"):
                hits = assemble(connection, request, near, worded)
            model = self._embedder.model.id
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

    def _by_meaning(
        self, connection: Connection[Any], request: SearchRequest, position: int, clock: Stopwatch
    ) -> tuple[list[MeaningHit], str]:
        if request.mode == "words":
            return [], "none"
        limit = max(CANDIDATES, request.limit)
        with clock.measure("embed"):
            query = self._embedder.embed([request.query])[0]
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
