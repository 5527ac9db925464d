"""How deep the meaning side looks, and where: in memory or in PostgreSQL, at all or at a few."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from domain.transcript import IDS_PER_POSITION
from infrastructure.search import meaning
from infrastructure.search.corpus import Corpus, MeaningHit, Nearest, Where
from infrastructure.search.meaning import Accelerator

MOST_LOOKED_THROUGH = 10_000
WIDE = 0.25  # of all messages: the texts of so many are many, and a few of all nearest will do
# Some vectors have no message: of superseded texts, and of withdrawn uploads as long as an index
# in memory holds them. PostgreSQL forgets at once what was withdrawn.
MOST_CANDIDATES = 1_000
# How near a query is to anything, as far as that is not known: of MiniLM over chats. It weighs as
# much as so many vectors.
USUAL_BACKGROUND, FEW_VECTORS = 0.06, 20
GROWTH = 4
SPARE = 1.5  # what may be found is not spread evenly

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    One query's vector against those of a workspace, at one moment of the database.

    Args:
        position: that an index in memory must have reached.
        vectors_below: those that came later are not looked at; None: all are.
        enough: hits that will do, where not as many as are asked for have a message.
    """

    connection: Connection[Any]
    accelerator: Accelerator | None
    where: Where
    vector: Vector
    corpus: Corpus
    position: int
    vectors_below: int | None
    enough: int

    def hits(self, depth: int, first: Nearest | None = None) -> tuple[list[MeaningHit], str]:
        """
        The nearest that may be found, at most so many, and what has compared them.

        Args:
            first: what is known of the nearest already: at least `depth` of them, if there are.
        """
        if not self.corpus.is_narrow:
            found, engine, _ = self._looked_through(depth, MOST_CANDIDATES, self.enough, first)
            return found, engine
        share = self.corpus.share()
        is_wide = share is not None and share > WIDE
        allowed = None if is_wide else self.corpus.vectors(self.corpus.few_texts)
        if allowed is None:
            found, engine, is_whole = self._looked_through(depth, MOST_LOOKED_THROUGH, depth)
            if is_whole or len(found) >= depth:
                return found, engine
            allowed = self.corpus.vectors(None)
        if allowed is None or not len(allowed):
            return [], "none"
        return self._among(allowed, depth)

    def cosines(self, vector_ids: Sequence[int]) -> dict[int, float]:
        """Of those that there are."""
        if not vector_ids:
            return {}
        ids = np.array(vector_ids, dtype=np.int64)
        kept = None
        if self.accelerator is not None:
            kept = self.accelerator.vectors_of(ids, **self.where)
        if kept is None:
            found = self._by_pgvector(len(ids), ids)
            return dict(zip(found.ids, found.cosines, strict=True))
        vectors, is_there = kept
        cosines = vectors[is_there] @ self.vector
        return dict(zip(ids[is_there].tolist(), cosines.tolist(), strict=True))

    def background(self) -> float:
        """
        How near the query is to anything, at the moment that the result is of. A few messages do
        not tell: they may all be about what is asked.
        """
        below = self.vectors_below
        if below is None:
            below = ids_below(self.position)
        found = None
        if self.accelerator is not None:
            found = self.accelerator.background(self.vector, **self.where, below=below)
        if found is None:
            found = meaning.background_by_pgvector(
                self.connection, **self.where, query=self.vector, below=below
            )
        cosines = found.cosine * found.vectors + USUAL_BACKGROUND * FEW_VECTORS
        return cosines / (found.vectors + FEW_VECTORS)

    def _among(self, allowed: NDArray[np.int64], depth: int) -> tuple[list[MeaningHit], str]:
        if self.vectors_below is not None:
            allowed = allowed[allowed < self.vectors_below]
        nearest = self._nearest(depth, allowed)
        return self.corpus.behind(nearest, depth), nearest.engine

    def _looked_through(
        self, depth: int, most: int, enough: int, first: Nearest | None = None
    ) -> tuple[list[MeaningHit], str, bool]:
        """Also whether there are no more."""
        limit = depth if self.vectors_below is None else 2 * depth
        if self.corpus.is_narrow and (share := self.corpus.share()):
            limit = min(most, round(SPARE * limit / share))
        while True:
            nearest = first or self._nearest(limit)
            first = None
            is_whole = len(nearest.ids) < limit
            nearest = self._of_then(nearest)
            hits = self.corpus.behind(nearest, depth)
            if is_whole or len(hits) >= min(enough, depth) or limit >= most:
                return hits, nearest.engine, is_whole
            limit = min(limit * GROWTH, most)

    def _of_then(self, nearest: Nearest) -> Nearest:
        """Without what came later."""
        if self.vectors_below is None:
            return nearest
        pairs = zip(nearest.ids, nearest.cosines, strict=True)
        kept = [(id_, cosine) for id_, cosine in pairs if id_ < self.vectors_below]
        return nearest._replace(ids=[id_ for id_, _ in kept], cosines=[c for _, c in kept])

    def _nearest(self, limit: int, allowed: NDArray[np.int64] | None = None) -> Nearest:
        if self.accelerator is not None:
            found = self.accelerator.nearest(
                **self.where,
                query=self.vector,
                limit=limit,
                position=self.position,
                allowed=allowed,
            )
            if found is not None:
                return found
        return self._by_pgvector(limit, allowed)

    def _by_pgvector(self, limit: int, allowed: NDArray[np.int64] | None) -> Nearest:
        return meaning.nearest_by_pgvector(
            self.connection, **self.where, query=self.vector, limit=limit, allowed=allowed
        )


class HeadStart:
    """The nearest of all, looked for in memory while the database is asked for other things."""

    def __init__(
        self, threads: Executor, accelerator: Accelerator, where: Where, vector: Vector, limit: int
    ) -> None:
        # Before it is known how far it has to reach.
        self._found: Future[Nearest | None] = threads.submit(
            lambda: accelerator.nearest(**where, query=vector, limit=limit, position=0)
        )

    def nearest(self, position: int) -> Nearest | None:
        """None: it had not reached the position."""
        found = self._found.result()
        is_late = found is None or (found.position is not None and found.position < position)
        return None if is_late else found


def ids_below(position: int) -> int:
    """Every vector and every message that was recorded up to a position has a lower id."""
    return (position + 1) * IDS_PER_POSITION
