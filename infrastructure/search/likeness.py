"""More like a message: its stored vector takes the place of a query's."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from application.ports.search import LikeNote
from application.searches import QueryRefusedError
from infrastructure.columns.filtering import of_messages, of_texts, without
from infrastructure.search.restriction import Restriction

STORED = """
SELECT m.text, m.text_key, e.embedding::real[]
FROM read.message AS m
LEFT JOIN read.text_vector AS t
    ON t.workspace_id = m.workspace_id AND t.model = %(model)s AND t.text_key = m.text_key
LEFT JOIN read.embedding AS e
    ON e.workspace_id = t.workspace_id AND e.segment = t.segment AND e.vector_id = t.vector_id
WHERE m.workspace_id = %(workspace)s AND m.message_id = %(id)s
"""
# What somebody knows already is no answer: the message, and whoever said it to the letter.
OTHERS = " AND m.message_id <> %(like_id)s AND m.text <> %(like_text)s"


class Likeness(NamedTuple):
    message_id: int
    text: str
    text_key: UUID | None
    vector: NDArray[np.float32] | None
    note: LikeNote | None  # why there is no vector

    def narrowed(self, restriction: Restriction) -> Restriction:
        """Without the message and its exact copies; without a vector nothing is like it."""
        if self.vector is None:
            sql = f"{restriction.sql} AND false"
            return restriction._replace(sql=sql, is_narrow=True, tests=None)
        values = restriction.values | {"like_id": self.message_id, "like_text": self.text}
        sql, tests = restriction.sql + OTHERS, restriction.tests
        if tests is not None:
            # Copies without a key have no vector either, and are found by nothing.
            keys = [] if self.text_key is None else [self.text_key]
            itself = of_messages(np.array([self.message_id], dtype=np.int64))
            tests = (*tests, without(itself), without(of_texts(keys)))
        return restriction._replace(sql=sql, values=values, tests=tests)


def likeness(
    connection: Connection[Any], message_id: int | None, *, workspace_id: UUID, model: str
) -> Likeness | None:
    """
    None: the search is like no message.

    Raises:
        QueryRefusedError: the workspace has no such message.
    """
    if message_id is None:
        return None
    values = {"workspace": workspace_id, "model": model, "id": message_id}
    row = connection.execute(STORED, values).fetchone()
    if row is None:
        raise QueryRefusedError("there is no such message in this workspace")
    text, key, stored = row
    if stored is not None:
        vector = np.array(stored, dtype=np.float32)
        return Likeness(message_id, text, key, vector / (np.linalg.norm(vector) or 1.0), None)
    note: LikeNote = "not_said" if key is None else "not_indexed"
    if key is None and not text.strip():
        note = "no_text"
    return Likeness(message_id, text, key, None, note)
