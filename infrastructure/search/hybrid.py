"""Implements the port Searcher: meaning and words, fused, with context and coverage."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Semaphore
from typing import Any, Protocol
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.ports.search import (
    Found,
    Moment,
    OnFound,
    SearchAnswer,
    SearchRequest,
)
from application.searching.query import Query
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.projections.positions import Positions
from infrastructure.search.answers import assemble
from infrastructure.search.comparing import Comparison, HeadStart, Vector, ids_below
from infrastructure.search.corpus import Where
from infrastructure.search.demanding import NobodySaysError, filters_of, unsaid
from infrastructure.search.duplicates import with_duplicates
from infrastructure.search.likeness import likeness
from infrastructure.search.meaning import Accelerator
from infrastructure.search.memory_corpus import MemoryCorpus
from infrastructure.search.opening import READ_MODELS, STATEMENT_SECONDS, opened
from infrastructure.search.ranking import DEPTHS
from infrastructure.search.restriction import restriction
from infrastructure.search.results import facets
from infrastructure.search.selecting import Scope, Selecting
from infrastructure.search.stored_corpus import StoredCorpus
from infrastructure.search.tsquery import NOTHING, Meant, languages, tsqueries
from infrastructure.words.follower import Known

SEARCHES = 8  # at a time
# One computes while another waits for the database or the model. More of them take the interpreter
# from each other in the middle of every step, and all are late: 20 times at 30 searches a second.
AT_ONCE = 2
PATIENCE_SECONDS = 0.25  # whoever is before may wait for a database that takes its time


class WordsInMemory(Protocol):
    """An index that follows the messages read model."""

    def words_of(self, workspace_id: UUID, position: int) -> Known | None:
        """None if it has not reached the position: then PostgreSQL answers."""
        ...


class HybridSearcher:
    """
    Thread-safe. One transaction of its own, so that an answer is of one moment. While a thread
    beside it compares the query's vector with those in memory, the database is asked for the rest.

    Args:
        embedder: for queries: a small instance, apart from the one that embeds uploads.
        accelerator: asked first; where it has no answer, pgvector has.
        words: the same for words; where it has no answer, full text has.
        statement_seconds: what one step of a search may take in the database.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        positions: Positions,
        embedder: QueryEmbedder,
        accelerator: Accelerator | None = None,
        words: WordsInMemory | None = None,
        *,
        statement_seconds: float = STATEMENT_SECONDS,
    ) -> None:
        self._pool = pool
        self._positions = positions
        self._embedder = embedder
        self._accelerator = accelerator
        self._words = words
        self._statement_seconds = statement_seconds
        self._places = Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(SEARCHES, thread_name_prefix="search")

    def close(self) -> None:
        self._threads.shutdown()

    def search(
        self, request: SearchRequest, query: Query, on_found: OnFound = lambda _found: None
    ) -> SearchAnswer:
        has_reached = request.min_position <= 0 or self._positions.wait(
            READ_MODELS, request.min_position, request.timeout_seconds
        )
        is_placed = self._places.acquire(timeout=PATIENCE_SECONDS)
        try:
            try:
                return self._searched(request, query, on_found, is_stale=not has_reached)
            except NobodySaysError as error:
                # Who pastes a question with quotes in it is not left with nothing.
                in_words, notes = query.in_words(error.phrases), error.notes
            answer = self._searched(request, in_words, on_found, is_stale=not has_reached)
            return replace(answer, notes=notes + answer.notes)
        finally:
            if is_placed:
                self._places.release()

    def _searched(
        self, request: SearchRequest, query: Query, on_found: OnFound, *, is_stale: bool
    ) -> SearchAnswer:
        clock = Stopwatch()
        where = Where(workspace_id=request.workspace_id, model=self._embedder.model.id)
        # First of all: while a model loads or computes, nobody else shall miss a connection.
        vector = self._embed(request, query, clock)
        early = self._begin_comparing(request, query, where, vector)
        # Before the moment: the database is never behind it, so what is gone since is known.
        known = self._known(request)
        with opened(
            self._pool,
            request,
            model=where["model"],
            gone_since=None if known is None else known.position,
            statement_seconds=self._statement_seconds,
        ) as (connection, reached, now, covered, gone):
            moment = moment_of(request.begun, now, known)
            position = min(reached, moment.messages_position)
            words = NOTHING
            if needs_words(request, query):
                spoken = spoken_in(connection, request.workspace_id, known)
                words = tsqueries(connection, query, spoken, meant_by(known))
            is_past = moment != now
            narrowed = restriction(
                connection,
                request.workspace_id,
                query.filters,
                words,
                moment.messages_position if is_past else None,
            )
            like = likeness(connection, request.like, **where)
            if like is not None:
                narrowed, vector = like.narrowed(narrowed), like.vector
            used = None if vector is None else where["model"]
            stored = StoredCorpus(
                connection,
                where,
                narrowed,
                all_words=words.all_words,
                below=ids_below(moment.messages_position),
            )
            corpus = self._in_memory(stored, known, gone, has_vector=vector is not None) or stored
            comparison = None
            if vector is not None:
                comparison = Comparison(
                    connection=connection,
                    accelerator=self._accelerator,
                    where=where,
                    vector=vector,
                    corpus=corpus,
                    position=now.vectors_position,
                    vectors_below=ids_below(moment.vectors_position) if is_past else None,
                    enough=request.limit,
                )
            selecting = Selecting(
                connection,
                request,
                query,
                words,
                Scope(corpus, stored),
                comparison,
                early,
                None if known is None else known.words.look_up(words.asked, below=stored.below),
                clock.measure,
            )
            page = selecting.page()
            if not page.entries:
                phrases = unsaid(connection, where, words.demands, below=stored.below)
                if phrases:
                    raise NobodySaysError(phrases)
            ids = [entry.message_id for entry in page.entries]
            engine, has_words = selecting.engine, known is not None
            on_found(Found(ids, used, position, covered.is_partial, moment, engine, has_words))
            with clock.measure("context"):
                hits = assemble(connection, request, words, page.entries, moment)
            if request.with_duplicates:
                with clock.measure("duplicates"):
                    hits = with_duplicates(connection, request, narrowed, hits)
            made_up = None
            if request.with_facets:
                with clock.measure("facets"):
                    made_up = facets(
                        connection, request.workspace_id, selecting.counts(), selecting.whole
                    )
        return SearchAnswer(
            hits=hits,
            has_more=page.has_more,
            is_cut=selecting.is_cut,
            coverage=covered,
            position=position,
            is_stale=is_stale,
            model=used,
            engine=selecting.engine,
            facets=made_up,
            notes=narrowed.notes + words.notes,
            like_note=None if like is None else like.note,
            timings_ms=clock.milliseconds,
        )

    def _embed(self, request: SearchRequest, query: Query, clock: Stopwatch) -> Vector | None:
        """None: nothing is compared."""
        if request.mode == "words" or not query.text:
            return None
        with clock.measure("embed"):
            vector: Vector = self._embedder.embed([query.text])[0]
            return vector

    def _known(self, request: SearchRequest) -> Known | None:
        """In memory, as of what the request needs to be reflected. None: PostgreSQL has to look."""
        if self._words is None:
            return None
        needed = request.min_position
        if request.begun is not None:
            needed = max(needed, request.begun.messages_position)
        return self._words.words_of(request.workspace_id, needed)

    def _in_memory(
        self, stored: StoredCorpus, known: Known | None, gone: Sequence[int], *, has_vector: bool
    ) -> MemoryCorpus | None:
        """None: what is in memory does not tell all that this search asks for."""
        if known is None or stored.restriction.tests is None:
            return None
        texts = None
        if has_vector:
            if self._accelerator is None:
                return None
            texts = self._accelerator.texts_of(**stored.where)
            if texts is None:
                return None
        demands = stored.restriction.demands
        demanded = filters_of(
            stored.connection, stored.where, demands, known.words, below=stored.below
        )
        if demanded is None:
            return None
        return MemoryCorpus(stored, known.table, texts, gone, demanded)

    def _begin_comparing(
        self, request: SearchRequest, query: Query, where: Where, vector: Vector | None
    ) -> HeadStart | None:
        """With all vectors in memory, where the first page may find whatever is near."""
        is_first = (
            request.after or request.alone or request.begun
        ) is None and request.sort == "relevance"
        is_open = not (query.filters or query.required or query.excluded)
        if vector is None or self._accelerator is None or not (is_first and is_open):
            return None
        return HeadStart(self._threads, self._accelerator, where, vector, DEPTHS[0])


def needs_words(request: SearchRequest, query: Query) -> bool:
    """Whether any are looked for, required, excluded or marked."""
    is_looked_for = request.mode != "meaning" or request.with_highlights
    return bool((query.groups and is_looked_for) or query.required or query.excluded)


def moment_of(begun: Moment | None, now: Moment, known: Known | None) -> Moment:
    """
    That which the result is of already, however long ago it was; else what the words in memory
    reflect, which may be a little behind.
    """
    if begun is not None:
        return begun
    if known is None or known.position >= now.messages_position:
        return now
    return now._replace(messages_position=known.position)


def spoken_in(
    connection: Connection[Any], workspace_id: UUID, known: Known | None
) -> Collection[str]:
    """The languages that there are, at least."""
    if known is None:
        return languages(connection, workspace_id)
    return known.table.languages.values.copy()


def meant_by(known: Known | None) -> Meant:
    return (lambda _asked: ()) if known is None else known.words.meant


class Stopwatch:
    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.milliseconds[step] = (time.perf_counter() - started) * 1000
