"""
What a search finds that it could not find before, in the order in which it became searchable.

A message becomes searchable by its words at its own position in the log, and by its meaning at that
of its text's vector, if that comes later. It is looked at once at each: nothing is missed, and what
was found by its words is not found again by its meaning. What is edited is no new message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.ports.search import FoundMessage
from application.searching.query import Query
from domain.search import SearchMode
from domain.transcript import IDS_PER_POSITION
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.search import messages
from infrastructure.search.calibration import CUT_OFF, MEANING, calibrated
from infrastructure.search.comparing import Comparison, Vector, ids_below
from infrastructure.search.corpus import Where
from infrastructure.search.meaning import Accelerator
from infrastructure.search.opening import BEGIN, READ_MODELS, STATEMENT_SECONDS
from infrastructure.search.restriction import Restriction, restriction
from infrastructure.search.scoring import CALIBRATED, LAST
from infrastructure.search.stored_corpus import StoredCorpus
from infrastructure.search.tsquery import NOTHING, TsQueries, languages, tsqueries

PAGE = 100  # hits
MODELS = (*READ_MODELS, "uploads")  # filters may name files
LOOKED_AT = 2_000  # messages, and vectors, of one look: some batches
REACHED = """
SELECT coalesce(min(position), 0) FROM projection.projection
WHERE status IN ('live', 'halted') AND name = ANY(%s)
"""
DEADLINE = "SELECT set_config('statement_timeout', %s, true)"
BATCHES = f"""
SELECT message_id / {IDS_PER_POSITION} FROM read.message
WHERE workspace_id = %(workspace)s AND message_id > %(new_above)s AND message_id < %(new_below)s
ORDER BY message_id OFFSET %(looked_at)s LIMIT 1
"""
VECTOR_BATCHES = f"""
SELECT vector_id / {IDS_PER_POSITION} FROM read.text_vector
WHERE workspace_id = %(workspace)s AND model = %(model)s
  AND vector_id >= %(new_from)s AND vector_id < %(new_below)s
ORDER BY vector_id OFFSET %(looked_at)s LIMIT 1
"""
# A vector that came later is looked at when it came.
ARRIVED = f"""
SELECT m.message_id, {{worded}}, t.vector_id
FROM read.message AS m
LEFT JOIN read.text_vector AS t ON t.workspace_id = m.workspace_id AND t.model = %(model)s
    AND t.text_key = m.text_key
    AND t.vector_id < (m.message_id / {IDS_PER_POSITION}) * {IDS_PER_POSITION}
WHERE m.workspace_id = %(workspace)s AND m.message_id > %(new_above)s
  AND m.message_id < %(new_below)s {{condition}} {{restriction}}
ORDER BY m.message_id LIMIT %(limit)s
"""
VECTORS = """
SELECT vector_id FROM read.text_vector
WHERE workspace_id = %(workspace)s AND model = %(model)s
  AND vector_id >= %(new_from)s AND vector_id < %(new_below)s
"""
# What was edited since it arrived was looked at under its first text.
INDEXED = f"""
SELECT t.vector_id / {IDS_PER_POSITION} AS since, m.message_id, t.vector_id
FROM read.text_vector AS t
JOIN read.message AS m ON m.workspace_id = t.workspace_id AND m.text_key = t.text_key
    AND m.message_id < (t.vector_id / {IDS_PER_POSITION}) * {IDS_PER_POSITION}
WHERE t.workspace_id = %(workspace)s AND t.model = %(model)s AND t.vector_id = ANY(%(near)s)
  AND (t.vector_id / {IDS_PER_POSITION}, m.message_id) > (%(since)s, %(message)s)
  AND NOT {{worded}} {{restriction}}
  AND NOT EXISTS (
      SELECT FROM read.message_version AS v
      WHERE v.workspace_id = m.workspace_id AND v.message_id = m.message_id
        AND v.position > m.message_id / {IDS_PER_POSITION}
  )
ORDER BY since, m.message_id LIMIT %(limit)s
"""


class NewPlace(NamedTuple):
    """Everything up to it was looked at."""

    position: int  # at which a message became searchable
    message_id: int

    @classmethod
    def behind(cls, position: int) -> NewPlace:
        """All that became searchable up to this position."""
        return cls(position, ids_below(position) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSearch:
    workspace_id: UUID
    query: Query  # its filters included
    mode: SearchMode
    vector: Vector | None  # of what it says to a model; None: nothing is compared


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHit:
    workspace_id: UUID
    place: NewPlace
    message: FoundMessage
    has_words: bool  # all of them, or none were asked for
    probability: float | None  # that it is to the point; None: it was not compared


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHits:
    hits: Sequence[NewHit]
    place: NewPlace  # where to go on
    has_more: bool  # to be looked at now


class Candidate(NamedTuple):
    place: NewPlace
    has_words: bool
    probability: float | None


class NewHitsFinder:
    """Thread-safe. Each look is one transaction, of a bounded number of messages and hits."""

    def __init__(
        self,
        pool: ConnectionPool[Connection[Any]],
        embedder: QueryEmbedder,
        accelerator: Accelerator | None = None,
    ) -> None:
        self._pool = pool
        self._embedder = embedder
        self._accelerator = accelerator

    def watched(self, workspace_id: UUID, query: Query, mode: SearchMode) -> WatchedSearch:
        """
        What to look for from now on. Of a model that nobody has calibrated nothing is known but
        ranks, which say nothing of a single message: then words alone decide.

        Raises:
            ModelLoadingError, EmbedderUnavailableError
        """
        vector = None
        if mode != "words" and query.text and self.is_calibrated:
            vector = self._embedder.embed([query.text])[0]
        return WatchedSearch(workspace_id=workspace_id, query=query, mode=mode, vector=vector)

    @property
    def is_calibrated(self) -> bool:
        return self._embedder.model.id.startswith(f"{CALIBRATED}@")

    def reached(self) -> int:
        """The position up to which everything can be found."""
        with self._pool.connection() as connection:
            return reached(connection)

    def page(self, watched: WatchedSearch, after: NewPlace, limit: int = PAGE) -> NewHits:
        """The next hits behind a place. Blocks."""
        with self._moment() as connection:
            last = reached(connection)
            if last <= after.position and after >= NewPlace.behind(last):
                return NewHits(hits=(), place=after, has_more=False)
            words = NOTHING
            if watched.query.groups or watched.query.excluded:
                spoken = languages(connection, watched.workspace_id)
                words = tsqueries(connection, watched.query, spoken, lambda _asked: ())
            narrowed = restriction(
                connection, watched.workspace_id, watched.query.filters, words, None
            )
            look = Look(
                connection, watched, words, narrowed, self._embedder.model.id, self._accelerator
            )
            until = look.until(after, last)
            found = look.candidates(after, until, limit + 1)
            chosen = found[:limit]
            is_cut = len(found) > limit
            ids = [entry.place.message_id for entry in chosen]
            shown = messages.by_id(connection, workspace_id=watched.workspace_id, ids=ids)()
        return NewHits(
            hits=[
                NewHit(
                    workspace_id=watched.workspace_id,
                    place=entry.place,
                    message=shown[entry.place.message_id],
                    has_words=entry.has_words,
                    probability=entry.probability,
                )
                for entry in chosen
            ],
            place=chosen[-1].place if is_cut else NewPlace.behind(until),
            has_more=is_cut or until < last,
        )

    @contextmanager
    def _moment(self) -> Iterator[Connection[Any]]:
        with self._pool.connection() as connection:  # which the pool ends
            connection.execute(BEGIN)
            connection.execute(DEADLINE, (str(round(STATEMENT_SECONDS * 1000)),))
            yield connection


class Look:
    """At what became searchable between two places, at one moment of the database."""

    def __init__(
        self,
        connection: Connection[Any],
        watched: WatchedSearch,
        words: TsQueries,
        narrowed: Restriction,
        model: str,
        accelerator: Accelerator | None,
    ) -> None:
        self._connection = connection
        self._watched = watched
        self._restriction = narrowed
        self._where = Where(workspace_id=watched.workspace_id, model=model)
        self._corpus = StoredCorpus(
            connection, self._where, narrowed, all_words=words.all_words, below=LAST
        )
        self._accelerator = accelerator
        self._values: dict[str, Any] = {
            **narrowed.values,
            "workspace": watched.workspace_id,
            "model": model,
            "all_words": words.all_words,
            "looked_at": LOOKED_AT,
        }
        if watched.mode == "meaning":
            self._worded = "false"
        elif not watched.query.groups:
            self._worded = "true"
        else:
            self._worded = "m.words @@ %(all_words)s::tsquery" if words.all_words else "false"

    def until(self, after: NewPlace, last: int) -> int:
        """The position to look up to: of words an index knows; vectors are compared one by one."""
        if self._watched.vector is None:
            return last
        values = self._between(after, last)
        until = last
        for statement in (BATCHES, VECTOR_BATCHES):
            row = self._connection.execute(statement, values).fetchone()
            if row is not None:
                # A whole batch more at least, or there would be no end of it.
                until = min(until, max(int(row[0]) - 1, after.position + 1))
        return until

    def candidates(self, after: NewPlace, until: int, limit: int) -> list[Candidate]:
        """In order."""
        values = self._between(after, until)
        compares = self._watched.vector is not None
        condition = "" if compares else f"AND {self._worded}"
        statement = ARRIVED.format(
            worded=self._worded, condition=condition, restriction=self._restriction.sql
        )
        most = ids_below(until) if compares else limit
        arrived = self._connection.execute(statement, {**values, "limit": most}).fetchall()
        if not compares:
            return [arrival(id_, has_words=True) for id_, _, _ in arrived]
        later = [row[0] for row in self._connection.execute(VECTORS, values)]
        likely = self._likely([*later, *(vector for _, _, vector in arrived if vector)])
        found = [
            arrival(id_, has_words=has_words, probability=likely.get(vector))
            for id_, has_words, vector in arrived
            if has_words or vector in likely
        ]
        near = [vector for vector in later if vector in likely]
        found += self._indexed(after, near, likely, limit)
        return sorted(found)[:limit]

    def _indexed(
        self, after: NewPlace, near: Sequence[int], likely: dict[int, float], limit: int
    ) -> list[Candidate]:
        """Messages that were there before their text's vector, and have not the words."""
        if not near:
            return []
        statement = INDEXED.format(worded=self._worded, restriction=self._restriction.sql)
        values = {
            **self._values,
            "near": near,
            "since": after.position,
            "message": after.message_id,
            "limit": limit,
        }
        return [
            Candidate(NewPlace(since, id_), has_words=False, probability=likely[vector])
            for since, id_, vector in self._connection.execute(statement, values)
        ]

    def _likely(self, vectors: Sequence[int]) -> dict[int, float]:
        """Of those that are likely enough to be to the point, how likely."""
        vector = self._watched.vector
        if vector is None or not vectors:
            return {}
        comparison = Comparison(
            connection=self._connection,
            accelerator=self._accelerator,
            where=self._where,
            vector=vector,
            corpus=self._corpus,
            position=0,
            vectors_below=LAST,
            enough=len(vectors),
        )
        cosines = comparison.cosines(sorted(set(vectors)))
        background = comparison.background()
        scores = np.array(list(cosines.values()), dtype=np.float64)
        likely = calibrated(scores, background, MEANING).tolist()
        pairs = zip(cosines, likely, strict=True)
        return {id_: probability for id_, probability in pairs if probability >= CUT_OFF}

    def _between(self, after: NewPlace, until: int) -> dict[str, Any]:
        """
        Messages of the position that the place is in are those above it; where it stands at an
        older message, which got its vector there, there are none.
        """
        first = after.position * IDS_PER_POSITION
        return {
            **self._values,
            "new_above": max(after.message_id, first - 1),
            "new_below": ids_below(until),
            "new_from": first,
        }


def reached(connection: Connection[Any]) -> int:
    row = connection.execute(REACHED, (list(MODELS),)).fetchone()
    return 0 if row is None else int(row[0])


def arrival(message_id: int, *, has_words: bool, probability: float | None = None) -> Candidate:
    place = NewPlace(message_id // IDS_PER_POSITION, message_id)
    return Candidate(place, has_words, probability)
