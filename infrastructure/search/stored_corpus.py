"""Implements Corpus by PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import Connection

from infrastructure.columns.addressing import NAMED, addressed, token
from infrastructure.search.context import column, numbered, stretches
from infrastructure.search.corpus import (
    ABSENT,
    AROUND,
    Ids,
    MeaningHit,
    Nearest,
    Surroundings,
    Where,
)
from infrastructure.search.linking import NOBODY, NOTHING, Spoken
from infrastructure.search.restriction import Restriction

FEW_MESSAGES = FEW_TEXTS = 20_000
BEHIND = """
SELECT t.vector_id, t.text_key, m.message_id
FROM read.text_vector AS t
CROSS JOIN LATERAL (
    SELECT m.message_id FROM read.message AS m
    WHERE m.workspace_id = t.workspace_id AND m.text_key = t.text_key {restriction}
    ORDER BY m.sent_at DESC, m.message_id DESC LIMIT 1
) AS m
WHERE t.workspace_id = %(workspace)s AND t.model = %(model)s AND t.vector_id = ANY(%(ids)s)
"""
VECTORS = """
SELECT t.vector_id FROM (
    SELECT DISTINCT m.text_key FROM read.message AS m
    WHERE m.workspace_id = %(workspace)s AND m.text_key IS NOT NULL {restriction}
    LIMIT %(limit)s
) AS m
LEFT JOIN read.text_vector AS t
    ON t.workspace_id = %(workspace)s AND t.model = %(model)s AND t.text_key = m.text_key
"""
MESSAGES = """
SELECT m.message_id FROM read.message AS m
WHERE m.workspace_id = %(workspace)s {restriction} LIMIT %(limit)s
"""
KEPT = """
SELECT m.message_id, m.text_key FROM read.message AS m
WHERE m.workspace_id = %(workspace)s AND m.message_id = ANY(%(ids)s) {restriction}
"""
ALL_WORDS = " AND m.words @@ %(all_words)s::tsquery"
VECTORS_OF = """
SELECT text_key, vector_id FROM read.text_vector
WHERE workspace_id = %(workspace)s AND model = %(model)s AND text_key = ANY(%(keys)s)
"""
SURROUNDINGS = f"""
SELECT seed.message_id AS seed, m.message_id, m.author_id, a.name, m.sent_at,
       left(m.text, {NAMED}), m.message_key, m.reply_to, m.thread, m.text_key, t.vector_id,
       true {{restriction}} AS may_be_found
FROM read.message AS seed
CROSS JOIN LATERAL (
    (
        SELECT * FROM read.message AS near
        WHERE near.workspace_id = seed.workspace_id AND near.conversation_id = seed.conversation_id
          AND near.message_id < %(until)s
          AND (near.sent_at, near.message_id) <= (seed.sent_at, seed.message_id)
        ORDER BY near.sent_at DESC, near.message_id DESC LIMIT {AROUND + 1}
    ) UNION ALL (
        SELECT * FROM read.message AS near
        WHERE near.workspace_id = seed.workspace_id AND near.conversation_id = seed.conversation_id
          AND near.message_id < %(until)s
          AND (near.sent_at, near.message_id) > (seed.sent_at, seed.message_id)
        ORDER BY near.sent_at, near.message_id LIMIT {AROUND}
    )
) AS m
LEFT JOIN read.author AS a ON a.workspace_id = m.workspace_id AND a.author_id = m.author_id
LEFT JOIN read.text_vector AS t
    ON t.workspace_id = m.workspace_id AND t.model = %(model)s AND t.text_key = m.text_key
WHERE seed.workspace_id = %(workspace)s AND seed.message_id = ANY(%(seeds)s)
ORDER BY seed.message_id, m.sent_at, m.message_id
"""


class StoredCorpus:
    """
    Args:
        all_words: text that casts to tsquery: all the words of the query.
        below: messages from this id on came later.
    """

    def __init__(
        self,
        connection: Connection[Any],
        where: Where,
        restriction: Restriction,
        *,
        all_words: str,
        below: int,
    ) -> None:
        self.connection = connection
        self.where = where
        self.restriction = restriction
        self.below = below
        self._values = {
            "workspace": where["workspace_id"],
            "model": where["model"],
            "all_words": all_words,
            "until": below,
            **restriction.values,
        }
        self.is_narrow = restriction.is_narrow
        self.few_texts = FEW_TEXTS

    def behind(self, nearest: Nearest, most: int) -> list[MeaningHit]:
        if not nearest.ids:
            return []
        by_vector = {row[0]: row[1:] for row in self._rows(BEHIND, ids=nearest.ids)}
        hits = []
        for vector_id, cosine in zip(nearest.ids, nearest.cosines, strict=True):
            if vector_id in by_vector:
                text_key, message_id = by_vector[vector_id]
                hits.append(MeaningHit(message_id, text_key, cosine))
        return hits[:most]

    def vectors(self, limit: int | None) -> Ids | None:
        most = limit if limit is not None else np.iinfo(np.int32).max
        rows = self._rows(VECTORS, limit=most + 1)
        if len(rows) > most:
            return None
        return np.sort(np.array([id_ for (id_,) in rows if id_ is not None], dtype=np.int64))

    @cached_property
    def messages(self) -> Ids | None:
        """All that may be found, ascending. None: they are many, and are to be asked for."""
        rows = self._rows(MESSAGES, limit=FEW_MESSAGES + 1)
        if len(rows) > FEW_MESSAGES:
            return None
        return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows)))

    def kept(self, ids: Sequence[int]) -> dict[int, UUID | None]:
        return dict(self._rows(KEPT, ids=list(ids)))

    def having_all_words(self, ids: Sequence[int]) -> dict[int, UUID | None]:
        """As `kept`, only those with all the words of the query, phrases as such."""
        return dict(self._rows(KEPT, ALL_WORDS, ids=list(ids)))

    def vectors_of(self, keys: Collection[UUID]) -> dict[UUID, int]:
        values = {**self._values, "keys": list(keys)}
        return dict(self.connection.execute(VECTORS_OF, values, binary=True).fetchall())

    def share(self) -> float | None:
        return None

    def surroundings(self, seeds: Sequence[int]) -> Surroundings:
        rows: dict[int, Sequence[Any]] = {}
        windows: dict[int, list[int]] = {}
        for seed, *columns in self._rows(SURROUNDINGS, seeds=list(seeds)):
            rows[columns[0]] = columns
            windows.setdefault(seed, []).append(columns[0])
        found = stretches(list(windows.values()))
        sizes = [len(stretch) for stretch in found]
        ordered = [rows[id_] for stretch in found for id_ in stretch]
        return around(ordered, np.repeat(np.arange(len(found)), sizes))

    def _rows(self, statement: str, more: str = "", **values: Any) -> list[Any]:
        sql = statement.format(restriction=self.restriction.sql + more)
        return self.connection.execute(sql, {**self._values, **values}, binary=True).fetchall()


def around(rows: Sequence[Sequence[Any]], numbers: Ids) -> Surroundings:
    """
    Args:
        rows: what SURROUNDINGS tells of each message, in order.
        numbers: of their stretches.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * 11
    ids, authors, names, sent_at, beginnings, keys, answers, threads, *rest = columns
    text_keys, vector_ids, may_be_found = rest
    codes = numbered(authors)
    spoken = Spoken(
        stretches=numbers,
        authors=column(codes.get(author, NOBODY) for author in authors),
        at=np.array([at.timestamp() for at in sent_at], dtype=np.float64),
        addressed=column(addressed(text) or NOTHING for text in beginnings),
        keys=column(map(token, keys)),
        answers=column(NOTHING if key is None else token(key) for key in answers),
        threads=column(NOTHING if thread is None else token(thread) for thread in threads),
        names={
            codes[author]: name or "" for author, name in zip(authors, names, strict=True) if author
        },
    )
    return Surroundings(
        ids=column(ids),
        spoken=spoken,
        text_keys=lambda places: [text_keys[place] for place in places],
        vector_ids=column(ABSENT if id_ is None else id_ for id_ in vector_ids),
        # Nobody's message has no author to compare.
        may_be_found=np.array(list(map(bool, may_be_found)), dtype=np.bool_),
    )
