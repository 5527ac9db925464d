"""Implements the port Searcher: meaning and words, fused, with context and coverage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypedDict
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg_pool import ConnectionPool

from application.ports.search import (
    Found,
    OnFound,
    SearchAnswer,
    SearchRequest,
    SearchTookTooLongError,
)
from domain.workspace import UnknownWorkspaceError
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.projections.positions import Positions
from infrastructure.search import meaning, messages, words
from infrastructure.search.answers import Key, assemble, choose
from infrastructure.search.meaning import Accelerator, MeaningHit, Nearest
from infrastructure.search.words import WordsHit

READ_MODELS = ("messages", "vectors", "conversations", "authors")
CANDIDATES = 100  # at least, on each side, before fusion
SPARE = 20  # at least, where nothing is fused: some vectors may have no message
MOST_CANDIDATES = 1_000  # where many of the nearest have no message any more
STATEMENT_SECONDS = 10.0  # a step that takes longer would hold a connection from the others
ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
POSITION = """
SELECT set_config('statement_timeout', %(milliseconds)s, true), coalesce(min(position), 0),
       coalesce(min(position) FILTER (WHERE name = 'vectors'), 0),
       EXISTS (SELECT FROM read.workspace WHERE workspace_id = %(workspace)s)
FROM projection.projection WHERE status IN ('live', 'halted') AND name = ANY(%(names)s)
"""
SEARCHES = 8  # at a time


Vector = NDArray[np.float32]


class Place(TypedDict):
    workspace_id: UUID
    model: str


class HybridSearcher:
    """
    Thread-safe. One transaction of its own, so that an answer is of one moment. While a thread
    beside it compares the query's vector with those in memory, the database is asked for the rest.

    Args:
        embedder: for queries: a small instance, apart from the one that embeds uploads.
        accelerator: asked first; where it has no answer, pgvector has.
        statement_seconds: what one step of a search may take in the database.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        positions: Positions,
        embedder: QueryEmbedder,
        accelerator: Accelerator | None = None,
        *,
        statement_seconds: float = STATEMENT_SECONDS,
    ) -> None:
        self._pool = pool
        self._positions = positions
        self._embedder = embedder
        self._accelerator = accelerator
        self._statement_seconds = statement_seconds
        self._threads = ThreadPoolExecutor(SEARCHES, thread_name_prefix="search")

    def close(self) -> None:
        self._threads.shutdown()

    def search(
        self, request: SearchRequest, on_found: OnFound = lambda _found: None
    ) -> SearchAnswer:
        clock = Stopwatch()
        has_reached = request.min_position <= 0 or self._positions.wait(
            READ_MODELS, request.min_position, request.timeout_seconds
        )
        model = self._embedder.model.id
        used = None if request.mode == "words" else model
        # First of all: while a model loads or computes, nobody else shall miss a connection.
        vector = self._embed(request, clock)
        near = self._begin_comparing(request, vector, clock)
        with self._snapshot(request) as (connection, position, vectors_position):
            covered = messages.coverage(
                connection,
                workspace_id=request.workspace_id,
                model=model,
                vectors_position=vectors_position,
            )()
            worded = self._by_words(connection, request, clock)
            first = self._compared(request, vector, near, vectors_position)
            meant, engine = self._by_meaning(connection, request, vector, first, clock)
            chosen = choose(request.limit, meant, worded)
            on_found(Found(chosen.ids, used, position, covered.is_partial))
            with clock.measure("context"):
                hits = assemble(connection, request, chosen)
        return SearchAnswer(
            hits=hits,
            coverage=covered,
            position=position,
            is_stale=not has_reached,
            model=used,
            engine=engine,
            timings_ms=clock.milliseconds,
        )

    @contextmanager
    def _snapshot(self, request: SearchRequest) -> Iterator[tuple[Connection[Any], int, int]]:
        """
        One moment of the database, and a deadline for each statement; the position that the read
        models have reached then, and the one of the vectors.

        Raises:
            UnknownWorkspaceError
        """
        seconds = self._statement_seconds
        values = {
            "milliseconds": str(round(seconds * 1000)),
            "names": list(READ_MODELS),
            "workspace": request.workspace_id,
        }
        try:
            with self._pool.connection() as connection, connection.transaction():
                with connection.pipeline():
                    connection.execute(ONE_MOMENT)
                    reached = connection.execute(POSITION, values)
                _, position, vectors_position, is_known = reached.fetchone() or (None, 0, 0, False)
                if not (is_known or request.is_workspace_known):
                    raise UnknownWorkspaceError("there is no such workspace")
                yield connection, int(position), int(vectors_position)
        except QueryCanceled as error:
            raise SearchTookTooLongError(
                f"a step of the search took longer than {seconds:g} s: ask again, or more narrowly"
            ) from error

    def _embed(self, request: SearchRequest, clock: Stopwatch) -> Vector | None:
        if request.mode == "words":
            return None
        with clock.measure("embed"):
            vector: Vector = self._embedder.embed([request.query])[0]
            return vector

    def _begin_comparing(
        self, request: SearchRequest, vector: Vector | None, clock: Stopwatch
    ) -> Future[Nearest | None] | None:
        """With the vectors in memory, before it is known how far they have to reach."""
        accelerator = self._accelerator
        if vector is None or accelerator is None:
            return None

        def compare() -> Nearest | None:
            with clock.measure("compare"):
                return accelerator.nearest(
                    **self._place(request), query=vector, limit=candidates(request), position=0
                )

        return self._threads.submit(compare)

    def _compared(
        self,
        request: SearchRequest,
        vector: Vector | None,
        near: Future[Nearest | None] | None,
        position: int,
    ) -> Nearest | None:
        """None: PostgreSQL has to answer. What came between is looked for once more."""
        found = None if near is None else near.result()
        if found is None or found.position is None or found.position >= position:
            return found
        if vector is None or self._accelerator is None:
            return None
        return self._accelerator.nearest(
            **self._place(request), query=vector, limit=candidates(request), position=position
        )

    def _place(self, request: SearchRequest) -> Place:
        return Place(workspace_id=request.workspace_id, model=self._embedder.model.id)

    def _by_meaning(
        self,
        connection: Connection[Any],
        request: SearchRequest,
        vector: Vector | None,
        first: Nearest | None,
        clock: Stopwatch,
    ) -> tuple[list[MeaningHit], str]:
        if vector is None:
            return [], "none"
        limit = candidates(request)
        with clock.measure("meaning"):
            while True:
                # PostgreSQL forgets at once what was withdrawn: where that is much, it answers.
                nearest = first or meaning.nearest_by_pgvector(
                    connection, **self._place(request), query=vector, limit=limit
                )
                first = None
                hits = meaning.messages(connection, **self._place(request), nearest=nearest)
                # Some vectors may have no message: of superseded texts, and of withdrawn uploads
                # as long as an index in memory holds them.
                is_all = len(nearest.ids) < limit or limit >= MOST_CANDIDATES
                if len(hits) >= request.limit or is_all:
                    return hits, nearest.engine
                limit = min(limit * 4, MOST_CANDIDATES)

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


def candidates(request: SearchRequest) -> int:
    """How many of the nearest are looked at: more where words have a say in which are best."""
    if request.mode == "meaning":
        return max(SPARE, 2 * request.limit)
    return max(CANDIDATES, request.limit)


class Stopwatch:
    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.milliseconds[step] = (time.perf_counter() - started) * 1000
